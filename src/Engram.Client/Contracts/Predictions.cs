using System.Text.Json;

namespace Engram.Client;

/// <summary>Asks for one prediction.</summary>
public sealed record PredictRequest
{
    /// <summary>The input, as the learner's <see cref="InputSchema"/> says.</summary>
    public required JsonElement Input { get; init; }

    /// <summary>An id of the caller's own, so that feedback may come before the answer does; null lets the service choose.</summary>
    public string? PredictionId { get; init; }

    /// <summary>Whom the input is about; what is stored under it can be exported and deleted.</summary>
    public string? Subject { get; init; }

    /// <summary>How many labels to return besides the best.</summary>
    /// <value>Default 0, at most 100.</value>
    public int Alternatives { get; init; }

    /// <summary>An alias or a version to ask instead of the champion.</summary>
    public string? Version { get; init; }
}

/// <summary>Asks for several predictions, all answered by the same version.</summary>
public sealed record PredictBatchRequest
{
    /// <summary>The inputs.</summary>
    public required IReadOnlyList<JsonElement> Inputs { get; init; }

    /// <summary>Whom the inputs are about.</summary>
    public string? Subject { get; init; }

    /// <summary>How many labels to return besides the best.</summary>
    public int Alternatives { get; init; }

    /// <summary>An alias or a version to ask instead of the champion.</summary>
    public string? Version { get; init; }
}

/// <summary>A label and how likely it is.</summary>
/// <param name="Label">The label.</param>
/// <param name="Probability">Calibrated, 0 to 1.</param>
public sealed record LabelProbability(string Label, double Probability);

/// <summary>A prediction.</summary>
public sealed record PredictResponse
{
    /// <summary>To send feedback with.</summary>
    public required string PredictionId { get; init; }

    /// <summary>The version that answered.</summary>
    public required int Version { get; init; }

    /// <summary>The best label.</summary>
    public required string Label { get; init; }

    /// <summary>How likely it is, calibrated, 0 to 1.</summary>
    public required double Probability { get; init; }

    /// <summary>Whether the input is unlike anything learnt, so that the label is a guess.</summary>
    public bool Unknown { get; init; }

    /// <summary>Further labels, the likeliest first.</summary>
    public IReadOnlyList<LabelProbability> Alternatives { get; init; } = [];
}

/// <summary>Several predictions by one version.</summary>
/// <param name="Predictions">In the order of the inputs.</param>
public sealed record PredictBatchResponse(IReadOnlyList<PredictResponse> Predictions);
