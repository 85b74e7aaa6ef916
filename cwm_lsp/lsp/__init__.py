"""The language server: predicted values where the code is. It only translates; what is predicted, and how, is
world's."""
