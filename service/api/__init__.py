"""HTTP only: application, dependencies, problem details, thin routes."""
