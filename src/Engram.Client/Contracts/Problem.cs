namespace Engram.Client;

/// <summary>Why a request was not done (RFC 9457).</summary>
public sealed record Problem
{
    /// <summary>What kind of problem: <c>urn:engram:problem:</c> and a word that stays the same.</summary>
    public required string Type { get; init; }

    /// <summary>The kind in words.</summary>
    public required string Title { get; init; }

    /// <summary>The status of the answer.</summary>
    public required int Status { get; init; }

    /// <summary>What was wrong this time: the value, and what was expected.</summary>
    public string? Detail { get; init; }

    /// <summary>The field it is about, as the contract names it: <c>learning.cpuShare</c>, <c>items[3].label</c>.</summary>
    public string? Field { get; init; }

    /// <summary>The line of an imported file it is about, from 1.</summary>
    public long? Line { get; init; }

    /// <summary>Finds the request in the service's traces and logs.</summary>
    public string? TraceId { get; init; }
}

/// <summary>Whether the service is well.</summary>
/// <param name="Status"><c>ready</c>, <c>starting</c>, <c>stopping</c> or <c>alive</c>.</param>
public sealed record HealthReport(string Status);
