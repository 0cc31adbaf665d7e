using System.Runtime.InteropServices;
using Engram.Client;
using Engram.Server.Inputs;
using Engram.Server.Store;
using static TorchSharp.torch;

namespace Engram.Server.Serving;

/// <summary>One version, ready to answer. Immutable; freed when the last reader has left.</summary>
/// <remarks>
/// Counts its readers: whoever made it holds one lease, <see cref="TryLease"/> takes another as long as there is any, and the last
/// <see cref="Release"/> frees the model. So a version can be replaced while it answers, and none waits for the other.
/// </remarks>
internal sealed class ServedModel
{
    private const int BatchSize = 256;
    private readonly Predictor _predictor;
    private readonly InputEncoder _encoder;
    private readonly Dictionary<string, int> _ids;
    private int _readers = 1;

    /// <param name="version">Its number.</param>
    /// <param name="predictor">Its model; owned.</param>
    /// <param name="encoder">Reads inputs; shared.</param>
    /// <param name="calibration">What scores mean.</param>
    public ServedModel(int version, Predictor predictor, InputEncoder encoder, Calibration calibration)
    {
        (Version, _predictor, _encoder, Calibration) = (version, predictor, encoder, calibration);
        _ids = predictor.Labels.Select((label, id) => (label, id)).ToDictionary(pair => pair.label, pair => pair.id);
    }

    public int Version { get; }

    public Calibration Calibration { get; set; }

    /// <summary>The labels by class id.</summary>
    public IReadOnlyList<string> Labels => _predictor.Labels;

    public long MemoryBytes => _predictor.MemoryBytes;

    /// <summary>Takes a lease, unless the last reader has left.</summary>
    public bool TryLease()
    {
        for (var seen = Volatile.Read(ref _readers); seen > 0; seen = Volatile.Read(ref _readers))
            if (Interlocked.CompareExchange(ref _readers, seen + 1, seen) == seen) return true;
        return false;
    }

    /// <summary>Gives a lease back.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _readers) == 0) _predictor.Dispose();
    }

    /// <summary>Inputs as the model reads them, row by row.</summary>
    public float[] Features(byte[][] rows)
    {
        using var scope = NewDisposeScope();
        var encoded = _encoder.Encode(rows);
        var bytes = encoded.bytes;
        if (encoded.dtype != ScalarType.Byte) return MemoryMarshal.Cast<byte, float>(bytes).ToArray();
        var numbers = new float[bytes.Length];
        for (var i = 0; i < numbers.Length; i++) numbers[i] = bytes[i];
        return numbers;
    }

    /// <summary>Asks about nothing, to see whether model and encoder fit together and give numbers.</summary>
    /// <exception cref="InvalidDataException">A score is no number: training went astray.</exception>
    public void Try()
    {
        using var scope = NewDisposeScope();
        var (scores, _) = _predictor.Score(zeros([1, .. _encoder.Shape], _encoder.Type));
        // Minus infinity is the score of a class of which all was unlearnt.
        if (scores.Any(score => float.IsNaN(score) || float.IsPositiveInfinity(score)) || scores.All(float.IsNegativeInfinity))
            throw new InvalidDataException("a score is no number: learning diverged, expected a smaller model.learningRate");
    }

    /// <summary>Scores of packed inputs.</summary>
    public ScoredSamples Score(IReadOnlyList<byte[]> rows)
    {
        using var scope = NewDisposeScope();
        var (scores, distances) = _predictor.Score(_encoder.Encode(rows));
        return new ScoredSamples(scores, distances, Labels.Count, new int[rows.Count]);
    }

    /// <summary>Scores of any number of packed inputs, in batches.</summary>
    /// <param name="rows">The inputs.</param>
    /// <param name="batch">Most inputs at a time.</param>
    /// <param name="betweenBatches">Called after each batch; may wait.</param>
    public ScoredSamples ScoreAll(byte[][] rows, int batch, Action? betweenBatches = null)
    {
        if (rows.Length <= batch && betweenBatches is null) return Score(rows);
        var scores = new float[rows.Length * Labels.Count];
        float[]? distances = null;
        for (var start = 0; start < rows.Length; start += batch)
        {
            var part = Score(rows[start..Math.Min(start + batch, rows.Length)]);
            part.Scores.CopyTo(scores, start * Labels.Count);
            if (part.Distances is { } some) some.CopyTo(distances ??= new float[rows.Length], start);
            betweenBatches?.Invoke();
        }
        return new ScoredSamples(scores, distances, Labels.Count, new int[rows.Length]);
    }

    /// <summary>Scores of labelled samples, in batches.</summary>
    /// <param name="samples">The samples.</param>
    /// <param name="betweenBatches">Called after each batch; may wait.</param>
    public ScoredSamples Score(IReadOnlyList<LabelledSample> samples, Action? betweenBatches = null) =>
        ScoreAll([.. samples.Select(sample => sample.Input)], BatchSize, betweenBatches) with
        {
            Truth = [.. samples.Select(sample => _ids.GetValueOrDefault(sample.Label, -1))],
        };

    /// <summary>What a row of scores says.</summary>
    /// <param name="scored">Scores by this model.</param>
    /// <param name="row">The row.</param>
    /// <param name="id">The prediction's id.</param>
    /// <param name="alternatives">Further labels to name.</param>
    public PredictResponse Respond(ScoredSamples scored, int row, string id, int alternatives)
    {
        var scores = scored.Row(row);
        var (best, temperature) = (scored.Best(row), Calibration.Temperature);
        var sum = 0.0;
        foreach (var score in scores) sum += Math.Exp((score - scores[best]) / temperature);
        var response = new PredictResponse
        {
            PredictionId = id,
            Version = Version,
            Label = Labels[best],
            Probability = 1 / sum,
            Unknown = Calibration.UnknownAbove is { } bound && Calibration.Novelty(scores, scored.Distance(row), temperature) > bound,
        };
        return alternatives == 0 ? response : response with { Alternatives = Others(scores, best, sum, alternatives) };
    }

    private LabelProbability[] Others(ReadOnlySpan<float> scores, int best, double sum, int count)
    {
        var all = scores.ToArray();
        int[] order = [.. Enumerable.Range(0, all.Length).Where(c => c != best && !float.IsNegativeInfinity(all[c]))
            .OrderByDescending(c => all[c]).Take(count)];
        return [.. order.Select(c => new LabelProbability(Labels[c], Math.Exp((all[c] - all[best]) / Calibration.Temperature) / sum))];
    }
}
