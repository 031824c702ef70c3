"""The place where examples are executed: environment, packages, device and memory."""
