"""Types of the Debug Adapter Protocol, the part that we speak.

Written by scripts/dap_types.py from the protocol's JSON schema: don't edit. Leaves out the
envelope of messages (transport.py).
"""

# fmt: off
# ruff: noqa: E501

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class NoArguments(TypedDict):
    """A request that has no arguments."""


class AttachRequestArguments(TypedDict):
    """AttachRequestArguments of the protocol."""


class BreakpointLocationsArguments(TypedDict):
    """BreakpointLocationsArguments of the protocol."""
    source: Source
    line: int
    column: NotRequired[int]
    endLine: NotRequired[int]
    endColumn: NotRequired[int]


class Source(TypedDict):
    """Source of the protocol."""
    name: NotRequired[str]
    path: NotRequired[str]
    sourceReference: NotRequired[int]
    presentationHint: NotRequired[Literal["normal", "emphasize", "deemphasize"]]
    origin: NotRequired[str]
    sources: NotRequired[list[Source]]
    adapterData: NotRequired[Any]
    checksums: NotRequired[list[Checksum]]


class Checksum(TypedDict):
    """Checksum of the protocol."""
    algorithm: Literal["MD5", "SHA1", "SHA256", "timestamp"]
    checksum: str


class BreakpointLocationsBody(TypedDict):
    """BreakpointLocationsBody of the protocol."""
    breakpoints: list[BreakpointLocation]


class BreakpointLocation(TypedDict):
    """BreakpointLocation of the protocol."""
    line: int
    column: NotRequired[int]
    endLine: NotRequired[int]
    endColumn: NotRequired[int]


class CancelArguments(TypedDict):
    """CancelArguments of the protocol."""
    requestId: NotRequired[int]
    progressId: NotRequired[str]


class CompletionsArguments(TypedDict):
    """CompletionsArguments of the protocol."""
    frameId: NotRequired[int]
    text: str
    column: int
    line: NotRequired[int]


class CompletionsBody(TypedDict):
    """CompletionsBody of the protocol."""
    targets: list[CompletionItem]


class CompletionItem(TypedDict):
    """CompletionItem of the protocol."""
    label: str
    text: NotRequired[str]
    sortText: NotRequired[str]
    detail: NotRequired[str]
    type: NotRequired[Literal["method", "function", "constructor", "field", "variable", "class", "interface", "module", "property", "unit", "value", "enum", "keyword", "snippet", "text", "color", "file", "reference", "customcolor"]]
    start: NotRequired[int]
    length: NotRequired[int]
    selectionStart: NotRequired[int]
    selectionLength: NotRequired[int]


class ContinueArguments(TypedDict):
    """ContinueArguments of the protocol."""
    threadId: int
    singleThread: NotRequired[bool]


class ContinueBody(TypedDict):
    """ContinueBody of the protocol."""
    allThreadsContinued: NotRequired[bool]


class DataBreakpointInfoArguments(TypedDict):
    """DataBreakpointInfoArguments of the protocol."""
    variablesReference: NotRequired[int]
    name: str
    frameId: NotRequired[int]
    bytes: NotRequired[int]
    asAddress: NotRequired[bool]
    mode: NotRequired[str]


class DataBreakpointInfoBody(TypedDict):
    """DataBreakpointInfoBody of the protocol."""
    dataId: str | None
    description: str
    accessTypes: NotRequired[list[Literal["read", "write", "readWrite"]]]
    canPersist: NotRequired[bool]


class DisconnectArguments(TypedDict):
    """DisconnectArguments of the protocol."""
    restart: NotRequired[bool]
    terminateDebuggee: NotRequired[bool]
    suspendDebuggee: NotRequired[bool]


class EvaluateArguments(TypedDict):
    """EvaluateArguments of the protocol."""
    expression: str
    frameId: NotRequired[int]
    line: NotRequired[int]
    column: NotRequired[int]
    source: NotRequired[Source]
    context: NotRequired[str]
    format: NotRequired[ValueFormat]


class ValueFormat(TypedDict):
    """ValueFormat of the protocol."""
    hex: NotRequired[bool]


class EvaluateBody(TypedDict):
    """EvaluateBody of the protocol."""
    result: str
    type: NotRequired[str]
    presentationHint: NotRequired[VariablePresentationHint]
    variablesReference: int
    namedVariables: NotRequired[int]
    indexedVariables: NotRequired[int]
    memoryReference: NotRequired[str]
    valueLocationReference: NotRequired[int]


class VariablePresentationHint(TypedDict):
    """VariablePresentationHint of the protocol."""
    kind: NotRequired[str]
    attributes: NotRequired[list[str]]
    visibility: NotRequired[str]
    lazy: NotRequired[bool]


class ExceptionInfoArguments(TypedDict):
    """ExceptionInfoArguments of the protocol."""
    threadId: int


class ExceptionInfoBody(TypedDict):
    """ExceptionInfoBody of the protocol."""
    exceptionId: str
    description: NotRequired[str]
    breakMode: Literal["never", "always", "unhandled", "userUnhandled"]
    details: NotRequired[ExceptionDetails]


class ExceptionDetails(TypedDict):
    """ExceptionDetails of the protocol."""
    message: NotRequired[str]
    typeName: NotRequired[str]
    fullTypeName: NotRequired[str]
    evaluateName: NotRequired[str]
    stackTrace: NotRequired[str]
    innerException: NotRequired[list[ExceptionDetails]]


class GotoArguments(TypedDict):
    """GotoArguments of the protocol."""
    threadId: int
    targetId: int


class GotoTargetsArguments(TypedDict):
    """GotoTargetsArguments of the protocol."""
    source: Source
    line: int
    column: NotRequired[int]


class GotoTargetsBody(TypedDict):
    """GotoTargetsBody of the protocol."""
    targets: list[GotoTarget]


class GotoTarget(TypedDict):
    """GotoTarget of the protocol."""
    id: int
    label: str
    line: int
    column: NotRequired[int]
    endLine: NotRequired[int]
    endColumn: NotRequired[int]
    instructionPointerReference: NotRequired[str]


class InitializeRequestArguments(TypedDict):
    """InitializeRequestArguments of the protocol."""
    clientID: NotRequired[str]
    clientName: NotRequired[str]
    adapterID: str
    locale: NotRequired[str]
    linesStartAt1: NotRequired[bool]
    columnsStartAt1: NotRequired[bool]
    pathFormat: NotRequired[str]
    supportsVariableType: NotRequired[bool]
    supportsVariablePaging: NotRequired[bool]
    supportsRunInTerminalRequest: NotRequired[bool]
    supportsMemoryReferences: NotRequired[bool]
    supportsProgressReporting: NotRequired[bool]
    supportsInvalidatedEvent: NotRequired[bool]
    supportsMemoryEvent: NotRequired[bool]
    supportsArgsCanBeInterpretedByShell: NotRequired[bool]
    supportsStartDebuggingRequest: NotRequired[bool]
    supportsANSIStyling: NotRequired[bool]


class Capabilities(TypedDict):
    """Capabilities of the protocol."""
    supportsConfigurationDoneRequest: NotRequired[bool]
    supportsFunctionBreakpoints: NotRequired[bool]
    supportsConditionalBreakpoints: NotRequired[bool]
    supportsHitConditionalBreakpoints: NotRequired[bool]
    supportsEvaluateForHovers: NotRequired[bool]
    exceptionBreakpointFilters: NotRequired[list[ExceptionBreakpointsFilter]]
    supportsStepBack: NotRequired[bool]
    supportsSetVariable: NotRequired[bool]
    supportsRestartFrame: NotRequired[bool]
    supportsGotoTargetsRequest: NotRequired[bool]
    supportsStepInTargetsRequest: NotRequired[bool]
    supportsCompletionsRequest: NotRequired[bool]
    completionTriggerCharacters: NotRequired[list[str]]
    supportsModulesRequest: NotRequired[bool]
    additionalModuleColumns: NotRequired[list[ColumnDescriptor]]
    supportedChecksumAlgorithms: NotRequired[list[Literal["MD5", "SHA1", "SHA256", "timestamp"]]]
    supportsRestartRequest: NotRequired[bool]
    supportsExceptionOptions: NotRequired[bool]
    supportsValueFormattingOptions: NotRequired[bool]
    supportsExceptionInfoRequest: NotRequired[bool]
    supportTerminateDebuggee: NotRequired[bool]
    supportSuspendDebuggee: NotRequired[bool]
    supportsDelayedStackTraceLoading: NotRequired[bool]
    supportsLoadedSourcesRequest: NotRequired[bool]
    supportsLogPoints: NotRequired[bool]
    supportsTerminateThreadsRequest: NotRequired[bool]
    supportsSetExpression: NotRequired[bool]
    supportsTerminateRequest: NotRequired[bool]
    supportsDataBreakpoints: NotRequired[bool]
    supportsReadMemoryRequest: NotRequired[bool]
    supportsWriteMemoryRequest: NotRequired[bool]
    supportsDisassembleRequest: NotRequired[bool]
    supportsCancelRequest: NotRequired[bool]
    supportsBreakpointLocationsRequest: NotRequired[bool]
    supportsClipboardContext: NotRequired[bool]
    supportsSteppingGranularity: NotRequired[bool]
    supportsInstructionBreakpoints: NotRequired[bool]
    supportsExceptionFilterOptions: NotRequired[bool]
    supportsSingleThreadExecutionRequests: NotRequired[bool]
    supportsDataBreakpointBytes: NotRequired[bool]
    breakpointModes: NotRequired[list[BreakpointMode]]
    supportsANSIStyling: NotRequired[bool]


class ExceptionBreakpointsFilter(TypedDict):
    """ExceptionBreakpointsFilter of the protocol."""
    filter: str
    label: str
    description: NotRequired[str]
    default: NotRequired[bool]
    supportsCondition: NotRequired[bool]
    conditionDescription: NotRequired[str]


class ColumnDescriptor(TypedDict):
    """ColumnDescriptor of the protocol."""
    attributeName: str
    label: str
    format: NotRequired[str]
    type: NotRequired[Literal["string", "number", "boolean", "unixTimestampUTC"]]
    width: NotRequired[int]


class BreakpointMode(TypedDict):
    """BreakpointMode of the protocol."""
    mode: str
    label: str
    description: NotRequired[str]
    appliesTo: list[str]


class LaunchRequestArguments(TypedDict):
    """LaunchRequestArguments of the protocol."""
    noDebug: NotRequired[bool]


class LoadedSourcesBody(TypedDict):
    """LoadedSourcesBody of the protocol."""
    sources: list[Source]


class ModulesArguments(TypedDict):
    """ModulesArguments of the protocol."""
    startModule: NotRequired[int]
    moduleCount: NotRequired[int]


class ModulesBody(TypedDict):
    """ModulesBody of the protocol."""
    modules: list[Module]
    totalModules: NotRequired[int]


class Module(TypedDict):
    """Module of the protocol."""
    id: int | str
    name: str
    path: NotRequired[str]
    isOptimized: NotRequired[bool]
    isUserCode: NotRequired[bool]
    version: NotRequired[str]
    symbolStatus: NotRequired[str]
    symbolFilePath: NotRequired[str]
    dateTimeStamp: NotRequired[str]
    addressRange: NotRequired[str]


class NextArguments(TypedDict):
    """NextArguments of the protocol."""
    threadId: int
    singleThread: NotRequired[bool]
    granularity: NotRequired[Literal["statement", "line", "instruction"]]


class PauseArguments(TypedDict):
    """PauseArguments of the protocol."""
    threadId: int


class RestartArguments(TypedDict):
    """RestartArguments of the protocol."""
    arguments: NotRequired[LaunchRequestArguments | AttachRequestArguments]


class RestartFrameArguments(TypedDict):
    """RestartFrameArguments of the protocol."""
    frameId: int


class ReverseContinueArguments(TypedDict):
    """ReverseContinueArguments of the protocol."""
    threadId: int
    singleThread: NotRequired[bool]


class ScopesArguments(TypedDict):
    """ScopesArguments of the protocol."""
    frameId: int


class ScopesBody(TypedDict):
    """ScopesBody of the protocol."""
    scopes: list[Scope]


class Scope(TypedDict):
    """Scope of the protocol."""
    name: str
    presentationHint: NotRequired[str]
    variablesReference: int
    namedVariables: NotRequired[int]
    indexedVariables: NotRequired[int]
    expensive: bool
    source: NotRequired[Source]
    line: NotRequired[int]
    column: NotRequired[int]
    endLine: NotRequired[int]
    endColumn: NotRequired[int]


class SetBreakpointsArguments(TypedDict):
    """SetBreakpointsArguments of the protocol."""
    source: Source
    breakpoints: NotRequired[list[SourceBreakpoint]]
    lines: NotRequired[list[int]]
    sourceModified: NotRequired[bool]


class SourceBreakpoint(TypedDict):
    """SourceBreakpoint of the protocol."""
    line: int
    column: NotRequired[int]
    condition: NotRequired[str]
    hitCondition: NotRequired[str]
    logMessage: NotRequired[str]
    mode: NotRequired[str]


class SetBreakpointsBody(TypedDict):
    """SetBreakpointsBody of the protocol."""
    breakpoints: list[Breakpoint]


class Breakpoint(TypedDict):
    """Breakpoint of the protocol."""
    id: NotRequired[int]
    verified: bool
    message: NotRequired[str]
    source: NotRequired[Source]
    line: NotRequired[int]
    column: NotRequired[int]
    endLine: NotRequired[int]
    endColumn: NotRequired[int]
    instructionReference: NotRequired[str]
    offset: NotRequired[int]
    reason: NotRequired[Literal["pending", "failed"]]


class SetDataBreakpointsArguments(TypedDict):
    """SetDataBreakpointsArguments of the protocol."""
    breakpoints: list[DataBreakpoint]


class DataBreakpoint(TypedDict):
    """DataBreakpoint of the protocol."""
    dataId: str
    accessType: NotRequired[Literal["read", "write", "readWrite"]]
    condition: NotRequired[str]
    hitCondition: NotRequired[str]


class SetDataBreakpointsBody(TypedDict):
    """SetDataBreakpointsBody of the protocol."""
    breakpoints: list[Breakpoint]


class SetExceptionBreakpointsArguments(TypedDict):
    """SetExceptionBreakpointsArguments of the protocol."""
    filters: list[str]
    filterOptions: NotRequired[list[ExceptionFilterOptions]]
    exceptionOptions: NotRequired[list[ExceptionOptions]]


class ExceptionFilterOptions(TypedDict):
    """ExceptionFilterOptions of the protocol."""
    filterId: str
    condition: NotRequired[str]
    mode: NotRequired[str]


class ExceptionOptions(TypedDict):
    """ExceptionOptions of the protocol."""
    path: NotRequired[list[ExceptionPathSegment]]
    breakMode: Literal["never", "always", "unhandled", "userUnhandled"]


class ExceptionPathSegment(TypedDict):
    """ExceptionPathSegment of the protocol."""
    negate: NotRequired[bool]
    names: list[str]


class SetExceptionBreakpointsBody(TypedDict):
    """SetExceptionBreakpointsBody of the protocol."""
    breakpoints: NotRequired[list[Breakpoint]]


class SetExpressionArguments(TypedDict):
    """SetExpressionArguments of the protocol."""
    expression: str
    value: str
    frameId: NotRequired[int]
    format: NotRequired[ValueFormat]


class SetExpressionBody(TypedDict):
    """SetExpressionBody of the protocol."""
    value: str
    type: NotRequired[str]
    presentationHint: NotRequired[VariablePresentationHint]
    variablesReference: NotRequired[int]
    namedVariables: NotRequired[int]
    indexedVariables: NotRequired[int]
    memoryReference: NotRequired[str]
    valueLocationReference: NotRequired[int]


class SetFunctionBreakpointsArguments(TypedDict):
    """SetFunctionBreakpointsArguments of the protocol."""
    breakpoints: list[FunctionBreakpoint]


class FunctionBreakpoint(TypedDict):
    """FunctionBreakpoint of the protocol."""
    name: str
    condition: NotRequired[str]
    hitCondition: NotRequired[str]


class SetFunctionBreakpointsBody(TypedDict):
    """SetFunctionBreakpointsBody of the protocol."""
    breakpoints: list[Breakpoint]


class SetVariableArguments(TypedDict):
    """SetVariableArguments of the protocol."""
    variablesReference: int
    name: str
    value: str
    format: NotRequired[ValueFormat]


class SetVariableBody(TypedDict):
    """SetVariableBody of the protocol."""
    value: str
    type: NotRequired[str]
    variablesReference: NotRequired[int]
    namedVariables: NotRequired[int]
    indexedVariables: NotRequired[int]
    memoryReference: NotRequired[str]
    valueLocationReference: NotRequired[int]


class SourceArguments(TypedDict):
    """SourceArguments of the protocol."""
    source: NotRequired[Source]
    sourceReference: int


class SourceBody(TypedDict):
    """SourceBody of the protocol."""
    content: str
    mimeType: NotRequired[str]


class StackTraceArguments(TypedDict):
    """StackTraceArguments of the protocol."""
    threadId: int
    startFrame: NotRequired[int]
    levels: NotRequired[int]
    format: NotRequired[StackFrameFormat]


class StackFrameFormat(TypedDict):
    """StackFrameFormat of the protocol."""
    hex: NotRequired[bool]
    parameters: NotRequired[bool]
    parameterTypes: NotRequired[bool]
    parameterNames: NotRequired[bool]
    parameterValues: NotRequired[bool]
    line: NotRequired[bool]
    module: NotRequired[bool]
    includeAll: NotRequired[bool]


class StackTraceBody(TypedDict):
    """StackTraceBody of the protocol."""
    stackFrames: list[StackFrame]
    totalFrames: NotRequired[int]


class StackFrame(TypedDict):
    """StackFrame of the protocol."""
    id: int
    name: str
    source: NotRequired[Source]
    line: int
    column: int
    endLine: NotRequired[int]
    endColumn: NotRequired[int]
    canRestart: NotRequired[bool]
    instructionPointerReference: NotRequired[str]
    moduleId: NotRequired[int | str]
    presentationHint: NotRequired[Literal["normal", "label", "subtle"]]


class StepBackArguments(TypedDict):
    """StepBackArguments of the protocol."""
    threadId: int
    singleThread: NotRequired[bool]
    granularity: NotRequired[Literal["statement", "line", "instruction"]]


class StepInArguments(TypedDict):
    """StepInArguments of the protocol."""
    threadId: int
    singleThread: NotRequired[bool]
    targetId: NotRequired[int]
    granularity: NotRequired[Literal["statement", "line", "instruction"]]


class StepInTargetsArguments(TypedDict):
    """StepInTargetsArguments of the protocol."""
    frameId: int


class StepInTargetsBody(TypedDict):
    """StepInTargetsBody of the protocol."""
    targets: list[StepInTarget]


class StepInTarget(TypedDict):
    """StepInTarget of the protocol."""
    id: int
    label: str
    line: NotRequired[int]
    column: NotRequired[int]
    endLine: NotRequired[int]
    endColumn: NotRequired[int]


class StepOutArguments(TypedDict):
    """StepOutArguments of the protocol."""
    threadId: int
    singleThread: NotRequired[bool]
    granularity: NotRequired[Literal["statement", "line", "instruction"]]


class TerminateArguments(TypedDict):
    """TerminateArguments of the protocol."""
    restart: NotRequired[bool]


class ThreadsBody(TypedDict):
    """ThreadsBody of the protocol."""
    threads: list[Thread]


class Thread(TypedDict):
    """Thread of the protocol."""
    id: int
    name: str


class VariablesArguments(TypedDict):
    """VariablesArguments of the protocol."""
    variablesReference: int
    filter: NotRequired[Literal["indexed", "named"]]
    start: NotRequired[int]
    count: NotRequired[int]
    format: NotRequired[ValueFormat]


class VariablesBody(TypedDict):
    """VariablesBody of the protocol."""
    variables: list[Variable]


class Variable(TypedDict):
    """Variable of the protocol."""
    name: str
    value: str
    type: NotRequired[str]
    presentationHint: NotRequired[VariablePresentationHint]
    evaluateName: NotRequired[str]
    variablesReference: int
    namedVariables: NotRequired[int]
    indexedVariables: NotRequired[int]
    memoryReference: NotRequired[str]
    declarationLocationReference: NotRequired[int]
    valueLocationReference: NotRequired[int]


class BreakpointEventBody(TypedDict):
    """BreakpointEventBody of the protocol."""
    reason: str
    breakpoint: Breakpoint


class CapabilitiesEventBody(TypedDict):
    """CapabilitiesEventBody of the protocol."""
    capabilities: Capabilities


class ContinuedEventBody(TypedDict):
    """ContinuedEventBody of the protocol."""
    threadId: int
    allThreadsContinued: NotRequired[bool]


class ExitedEventBody(TypedDict):
    """ExitedEventBody of the protocol."""
    exitCode: int


class InvalidatedEventBody(TypedDict):
    """InvalidatedEventBody of the protocol."""
    areas: NotRequired[list[str]]
    threadId: NotRequired[int]
    stackFrameId: NotRequired[int]


class OutputEventBody(TypedDict):
    """OutputEventBody of the protocol."""
    category: NotRequired[str]
    output: str
    group: NotRequired[Literal["start", "startCollapsed", "end"]]
    variablesReference: NotRequired[int]
    source: NotRequired[Source]
    line: NotRequired[int]
    column: NotRequired[int]
    data: NotRequired[Any]
    locationReference: NotRequired[int]


class ProgressEndEventBody(TypedDict):
    """ProgressEndEventBody of the protocol."""
    progressId: str
    message: NotRequired[str]


class ProgressStartEventBody(TypedDict):
    """ProgressStartEventBody of the protocol."""
    progressId: str
    title: str
    requestId: NotRequired[int]
    cancellable: NotRequired[bool]
    message: NotRequired[str]
    percentage: NotRequired[float]


class ProgressUpdateEventBody(TypedDict):
    """ProgressUpdateEventBody of the protocol."""
    progressId: str
    message: NotRequired[str]
    percentage: NotRequired[float]


class StoppedEventBody(TypedDict):
    """StoppedEventBody of the protocol."""
    reason: str
    description: NotRequired[str]
    threadId: NotRequired[int]
    preserveFocusHint: NotRequired[bool]
    text: NotRequired[str]
    allThreadsStopped: NotRequired[bool]
    hitBreakpointIds: NotRequired[list[int]]


class TerminatedEventBody(TypedDict):
    """TerminatedEventBody of the protocol."""
    restart: NotRequired[Any]


class ThreadEventBody(TypedDict):
    """ThreadEventBody of the protocol."""
    reason: str
    threadId: int


ARGUMENTS: dict[str, type] = {
    "attach": AttachRequestArguments,
    "breakpointLocations": BreakpointLocationsArguments,
    "cancel": CancelArguments,
    "completions": CompletionsArguments,
    "configurationDone": NoArguments,
    "continue": ContinueArguments,
    "dataBreakpointInfo": DataBreakpointInfoArguments,
    "disconnect": DisconnectArguments,
    "evaluate": EvaluateArguments,
    "exceptionInfo": ExceptionInfoArguments,
    "goto": GotoArguments,
    "gotoTargets": GotoTargetsArguments,
    "initialize": InitializeRequestArguments,
    "launch": LaunchRequestArguments,
    "loadedSources": NoArguments,
    "modules": ModulesArguments,
    "next": NextArguments,
    "pause": PauseArguments,
    "restart": RestartArguments,
    "restartFrame": RestartFrameArguments,
    "reverseContinue": ReverseContinueArguments,
    "scopes": ScopesArguments,
    "setBreakpoints": SetBreakpointsArguments,
    "setDataBreakpoints": SetDataBreakpointsArguments,
    "setExceptionBreakpoints": SetExceptionBreakpointsArguments,
    "setExpression": SetExpressionArguments,
    "setFunctionBreakpoints": SetFunctionBreakpointsArguments,
    "setVariable": SetVariableArguments,
    "source": SourceArguments,
    "stackTrace": StackTraceArguments,
    "stepBack": StepBackArguments,
    "stepIn": StepInArguments,
    "stepInTargets": StepInTargetsArguments,
    "stepOut": StepOutArguments,
    "terminate": TerminateArguments,
    "threads": NoArguments,
    "variables": VariablesArguments,
}
"""The type of the arguments of each request."""

EVENTS = frozenset({
    "breakpoint",
    "capabilities",
    "continued",
    "exited",
    "initialized",
    "invalidated",
    "output",
    "progressEnd",
    "progressStart",
    "progressUpdate",
    "stopped",
    "terminated",
    "thread",
})
