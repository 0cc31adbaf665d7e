using Engram.Client;

namespace Engram.Server.Serving;

/// <summary>A request that waits for its predictions.</summary>
/// <param name="inputs">Packed inputs.</param>
/// <param name="ids">An id for each, chosen by the caller or by us.</param>
/// <param name="subject">Whom they are about.</param>
/// <param name="alternatives">Further labels to name.</param>
/// <param name="version">The version to ask, leased; null for whichever answers.</param>
/// <param name="came">When it came.</param>
internal sealed class PredictionWork(
    byte[][] inputs, string[] ids, string? subject, int alternatives, ServedModel? version, long came)
    : TaskCompletionSource<PredictResponse[]>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public byte[][] Inputs => inputs;

    /// <summary>Bytes of the inputs.</summary>
    public long Bytes { get; } = inputs.Sum(input => (long)input.Length);

    public string[] Ids => ids;

    public string? Subject => subject;

    public int Alternatives => alternatives;

    public ServedModel? Version => version;

    public long Came => came;
}
