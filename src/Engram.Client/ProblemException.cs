using System.Net;

namespace Engram.Client;

/// <summary>The service refused a request, or could not do it.</summary>
public sealed class ProblemException : Exception
{
    /// <summary>Creates one.</summary>
    /// <param name="problem">What the service said.</param>
    /// <param name="retryAfter">When to try again, if it said so.</param>
    public ProblemException(Problem problem, TimeSpan? retryAfter = null)
        : base(problem is null ? "" : problem.Field is null ? problem.Detail ?? problem.Title : $"{problem.Field}: {problem.Detail ?? problem.Title}")
    {
        ArgumentNullException.ThrowIfNull(problem);
        (Problem, RetryAfter) = (problem, retryAfter);
    }

    /// <summary>What the service said.</summary>
    public Problem Problem { get; }

    /// <summary>The status of the answer.</summary>
    public HttpStatusCode Status => (HttpStatusCode)Problem.Status;

    /// <summary>The field it is about, as the contract names it.</summary>
    public string? Field => Problem.Field;

    /// <summary>When to try again, if the service said so.</summary>
    public TimeSpan? RetryAfter { get; }
}
