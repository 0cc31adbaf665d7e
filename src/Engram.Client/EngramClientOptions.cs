namespace Engram.Client;

/// <summary>How a client tries again when the service is busy, starts, or cannot be reached.</summary>
public sealed record EngramClientOptions
{
    /// <summary>Attempts after the first.</summary>
    /// <value>Default 5; 0 for none.</value>
    public int Retries { get; init; } = 5;

    /// <summary>Wait before the second attempt; doubled with each, and between half and all of that, by chance.</summary>
    /// <value>Default 200 ms.</value>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Longest wait. If the service asks for a longer one, its problem is thrown instead.</summary>
    /// <value>Default 30 s.</value>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest time of one attempt; streams of events and files have no such limit.</summary>
    /// <value>Default 100 s.</value>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>The time.</summary>
    /// <value>Default the system's.</value>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
