using Engram.Data;
using Engram.Streams;

namespace Engram.Learning;

/// <summary>What a learner says of some samples.</summary>
public sealed class Prediction : IDisposable
{
    private readonly ClassRegistry _classes;
    private readonly double _temperature;

    internal Prediction(Tensor scores, ClassRegistry classes, TargetKind kind, double temperature = 1) =>
        (Scores, _classes, Kind, _temperature) = (scores, classes, kind, temperature);

    /// <summary>Scores <c>[batch, classes]</c>; minus infinity where a class belongs to another task.</summary>
    public Tensor Scores { get; }

    /// <summary>What the scores stand for.</summary>
    public TargetKind Kind { get; }

    /// <summary>The best class id of each sample.</summary>
    public long[] ClassIds
    {
        get
        {
            using var best = Scores.argmax(1);
            return best.data<long>().ToArray();
        }
    }

    /// <summary>The best label of each sample.</summary>
    public Label[] Labels => [.. ClassIds.Select(id => _classes.LabelOf((int)id))];

    /// <summary>
    /// Probabilities <c>[batch, classes]</c>: softmax for classes, at the learner's temperature where it was calibrated; sigmoid
    /// for labels; values are returned as they are.
    /// </summary>
    public Tensor Probabilities() => Kind switch
    {
        TargetKind.Classes => _temperature == 1 ? Scores.softmax(1) : Tempered(),
        TargetKind.MultiLabel => Scores.sigmoid(),
        _ => Scores.clone(),
    };

    private Tensor Tempered()
    {
        using var scores = Scores.div(Held(_temperature));
        return scores.softmax(1);
    }

    /// <inheritdoc/>
    public void Dispose() => Scores.Dispose();
}
