using Engram.Data;
using Engram.Server.Inputs;
using Engram.Server.Store;
using static TorchSharp.torch;

namespace Engram.Server.Training;

/// <summary>Feedback as samples: kept packed, encoded when asked for, or once where it is asked for often and there is room.</summary>
internal sealed class PackedSource : ISampleSource, IDisposable
{
    private const long MostBytesOfEncoded = 256L << 20;
    private readonly IReadOnlyList<LabelledSample> _samples;
    private readonly InputEncoder _encoder;
    private readonly int[] _codes;
    private readonly Tensor? _encoded;

    /// <param name="samples">The samples.</param>
    /// <param name="encoder">Reads them.</param>
    /// <param name="often">Whether they will be asked for more than once.</param>
    public PackedSource(IReadOnlyList<LabelledSample> samples, InputEncoder encoder, bool often)
    {
        (_samples, _encoder) = (samples, encoder);
        string[] labels = [.. samples.Select(sample => sample.Label).Distinct(StringComparer.Ordinal)];
        var codeOf = labels.Select((label, code) => (label, code)).ToDictionary(pair => pair.label, pair => pair.code, StringComparer.Ordinal);
        _codes = [.. samples.Select(sample => codeOf[sample.Label])];
        Labels = [.. labels.Select(label => new Label(label))];
        var bytes = (long)samples.Count * encoder.Width * (encoder.Type == ScalarType.Byte ? 1 : 4);
        if (!often || bytes > MostBytesOfEncoded) return;
        using var scope = NewDisposeScope();
        _encoded = encoder.Encode([.. samples.Select(sample => sample.Input)]).DetachFromDisposeScope();
    }

    public int Count => _samples.Count;

    public IReadOnlyList<long> InputShape => _encoder.Shape;

    public ScalarType InputType => _encoder.Type;

    public bool IsFinite => true; // encoders see to it

    public TargetKind TargetKind => TargetKind.Classes;

    public IReadOnlyList<Label> Labels { get; }

    public ReadOnlyMemory<int> Codes => _codes;

    public Batch Gather(ReadOnlySpan<long> indices)
    {
        var places = indices.ToArray();
        var targets = tensor(Array.ConvertAll(places, place => (long)_codes[place]));
        if (_encoded is null) return new Batch(_encoder.Encode([.. places.Select(place => _samples[(int)place].Input)]), targets);
        using var index = tensor(places);
        return new Batch(_encoded.index_select(0, index), targets);
    }

    public void Dispose() => _encoded?.Dispose();
}
