namespace Engram.Server.Serving;

/// <summary>Scores of labelled samples by one model.</summary>
/// <param name="Scores">Row by row.</param>
/// <param name="Distances">From the nearest class, where the model has distances.</param>
/// <param name="Classes">Width of a row.</param>
/// <param name="Truth">The right class id of each sample; −1 where the model does not know its label.</param>
internal sealed record ScoredSamples(float[] Scores, float[]? Distances, int Classes, int[] Truth)
{
    public int Count => Truth.Length;

    public ReadOnlySpan<float> Row(int sample) => Scores.AsSpan(sample * Classes, Classes);

    public float? Distance(int sample) => Distances?[sample];

    /// <summary>The class a sample is given.</summary>
    public int Best(int sample)
    {
        var row = Row(sample);
        var best = 0;
        for (var c = 1; c < row.Length; c++)
            if (row[c] > row[best]) best = c;
        return best;
    }

    /// <summary>The probability of <see cref="Best"/>.</summary>
    public double Confidence(int sample, double temperature)
    {
        var row = Row(sample);
        var sum = 0.0;
        var best = row[Best(sample)];
        foreach (var score in row) sum += Math.Exp((score - best) / temperature);
        return 1 / sum;
    }

    /// <summary>Those whose label the model knows, and that pass a test by their place.</summary>
    public ScoredSamples Known(Func<int, bool>? test = null)
    {
        int[] kept = [.. Enumerable.Range(0, Count).Where(i =>
            Truth[i] >= 0 && !float.IsNegativeInfinity(Row(i)[Truth[i]]) && (test is null || test(i)))];
        var scores = new float[kept.Length * Classes];
        for (var i = 0; i < kept.Length; i++) Row(kept[i]).CopyTo(scores.AsSpan(i * Classes));
        return new ScoredSamples(scores, Distances is null ? null : [.. kept.Select(i => Distances[i])], Classes, [.. kept.Select(i => Truth[i])]);
    }

    /// <summary>At most so many places, evenly spread.</summary>
    public int[] Spread(int most) => Count <= most
        ? [.. Enumerable.Range(0, Count)]
        : [.. Enumerable.Range(0, most).Select(i => (int)((long)i * Count / most))];
}
