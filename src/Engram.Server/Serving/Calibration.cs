namespace Engram.Server.Serving;

/// <summary>How scores become probabilities, and when a sample is unknown; chosen on held-out samples, kept with the version.</summary>
/// <param name="Temperature">T of softmax(scores / T).</param>
/// <param name="UnknownAbove">A sample is unknown where its novelty is above this; null where too few samples were held out to tell.</param>
internal sealed record Calibration(double Temperature, double? UnknownAbove)
{
    /// <summary>Share of known samples that may be called unknown.</summary>
    public const double FalseAlarms = 0.02;

    private const int FewestToTellUnknown = 25;
    private const int MostToFit = 2000;

    /// <summary>Nothing chosen yet.</summary>
    public static Calibration None { get; } = new(1, null);

    /// <summary>Chooses both.</summary>
    /// <param name="scored">Held-out samples of known classes.</param>
    public static Calibration Choose(ScoredSamples scored)
    {
        var temperature = Fit(scored);
        if (scored.Count < FewestToTellUnknown) return new Calibration(temperature, null);
        var novelties = new double[scored.Count];
        for (var i = 0; i < novelties.Length; i++) novelties[i] = Novelty(scored.Row(i), scored.Distance(i), temperature);
        Array.Sort(novelties);
        return new Calibration(temperature, novelties[^(1 + (int)(FalseAlarms * novelties.Length))]);
    }

    /// <summary>
    /// T of Guo et al. 2017, with the smoothed targets of Platt 1999 in place of ones, (n + 1)/(n + 2): where all of n samples are
    /// right, probabilities stay as unsure as n samples are. The likelihood is convex in 1/T, found by bisection of its slope.
    /// </summary>
    /// <param name="scored">Held-out samples of known classes; without any T is 1.</param>
    public static double Fit(ScoredSamples scored)
    {
        if (scored.Count == 0) return 1;
        var rows = scored.Spread(MostToFit);
        var target = (rows.Length + 1.0) / (rows.Length + 2.0);
        var (low, high) = (-4.0, 4.0); // log10 1/T
        for (var i = 0; i < 40; i++)
        {
            var middle = (low + high) / 2;
            if (Slope(scored, rows, target, Math.Pow(10, middle)) > 0) low = middle;
            else high = middle;
        }
        return Math.Pow(10, -(low + high) / 2);
    }

    /// <summary>How unlike anything known a sample is: its distance, or its energy −T log Σ exp(score/T) (Liu et al. 2020).</summary>
    public static double Novelty(ReadOnlySpan<float> scores, float? distance, double temperature)
    {
        if (distance is { } known) return known;
        var best = float.NegativeInfinity;
        foreach (var score in scores) best = Math.Max(best, score);
        var sum = 0.0;
        foreach (var score in scores) sum += Math.Exp((score - best) / temperature);
        return -best - (temperature * Math.Log(sum));
    }

    // Of the log likelihood of smoothed targets, in β = 1/T.
    private static double Slope(ScoredSamples scored, int[] rows, double target, double beta)
    {
        var slope = 0.0;
        foreach (var i in rows)
        {
            var row = scored.Row(i);
            var truth = scored.Truth[i];
            var best = float.NegativeInfinity;
            foreach (var score in row) best = Math.Max(best, score);
            var (mass, expected, others, classes) = (0.0, 0.0, 0.0, 0);
            for (var c = 0; c < row.Length; c++)
            {
                if (float.IsNegativeInfinity(row[c])) continue;
                double gap = row[c] - best;
                var weight = Math.Exp(beta * gap);
                (mass, expected, classes) = (mass + weight, expected + (weight * gap), classes + 1);
                if (c != truth) others += gap;
            }
            double right = row[truth] - best;
            var wanted = classes < 2 ? right : (target * right) + ((1 - target) * others / (classes - 1));
            slope += wanted - (expected / mass);
        }
        return slope;
    }
}
