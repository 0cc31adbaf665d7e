using Microsoft.Extensions.Logging;

namespace Engram.Server;

/// <summary>Where a service keeps its files and what it may use.</summary>
public sealed record ServiceOptions
{
    /// <summary>Folder of all files.</summary>
    public required string Folder { get; init; }

    /// <summary>Most inputs that wait for a prediction, per learner; more are refused.</summary>
    /// <value>Default 10,000.</value>
    public int MaxWaitingPredictions { get; init; } = 10_000;

    /// <summary>Most feedbacks that wait to be written, per learner; more are refused.</summary>
    /// <value>Default 50,000.</value>
    public int MaxWaitingFeedback { get; init; } = 50_000;

    /// <summary>Most inputs that go through the model together.</summary>
    /// <value>Default 256.</value>
    public int MaxBatch { get; init; } = 256;

    /// <summary>Where it is logged what happens to learners; null for nowhere.</summary>
    public ILoggerFactory? Logs { get; init; }

    /// <summary>Threads that a prediction may use inside one operation.</summary>
    /// <value>Default 1.</value>
    public int Threads { get; init; } = 1;
}
