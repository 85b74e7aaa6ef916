"""What the adapter can do, as it says to the client. Leaves out doing it."""

from __future__ import annotations

from typing import Any

CAPABILITIES: dict[str, Any] = {
    "supportsConfigurationDoneRequest": True,
    "supportsFunctionBreakpoints": True,
    "supportsConditionalBreakpoints": True,
    "supportsHitConditionalBreakpoints": True,
    "supportsLogPoints": True,
    "supportsEvaluateForHovers": True,
    "supportsStepBack": True,
    "supportsSetVariable": True,
    "supportsSetExpression": True,
    "supportsRestartFrame": True,
    "supportsGotoTargetsRequest": True,
    "supportsStepInTargetsRequest": True,
    "supportsCompletionsRequest": True,
    "completionTriggerCharacters": [".", "["],
    "supportsRestartRequest": True,
    "supportsExceptionInfoRequest": True,
    "supportsExceptionFilterOptions": True,
    "supportsExceptionOptions": False,
    "supportTerminateDebuggee": False,
    "supportsDelayedStackTraceLoading": True,
    "supportsLoadedSourcesRequest": True,
    "supportsTerminateRequest": True,
    "supportsDataBreakpoints": True,
    "supportsBreakpointLocationsRequest": True,
    "supportsClipboardContext": True,
    "supportsSteppingGranularity": True,
    "supportsCancelRequest": True,
    "supportsSingleThreadExecutionRequests": False,
    "supportsModulesRequest": False,
    "exceptionBreakpointFilters": [
        {
            "filter": "raised",
            "label": "Raised Exceptions",
            "description": "Stops on every exception, in each function that it passes.",
            "default": False,
            "supportsCondition": True,
            "conditionDescription": "Names of exceptions, such as ValueError, KeyError",
        },
        {
            "filter": "uncaught",
            "label": "Uncaught Exceptions",
            "description": "Stops where an exception was raised that nothing catches.",
            "default": True,
            "supportsCondition": True,
            "conditionDescription": "Names of exceptions, such as ValueError, KeyError",
        },
    ],
}
