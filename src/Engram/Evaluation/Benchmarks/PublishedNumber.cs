namespace Engram.Evaluation.Benchmarks;

/// <summary>What a paper reports, in per cent.</summary>
/// <param name="Mean">Mean over seeds.</param>
/// <param name="Sem">Standard error of the mean; null where none is recorded here.</param>
/// <param name="Rounding">Half a unit of the last digit given, where that is coarse enough to matter.</param>
public sealed record PublishedNumber(double Mean, double? Sem = null, double Rounding = 0)
{
    /// <summary>Means of the three scenarios, without errors.</summary>
    internal static Dictionary<Learning.Scenario, PublishedNumber> By(double task, double domain, double @class) => new()
    {
        [Learning.Scenario.TaskIncremental] = new(task),
        [Learning.Scenario.DomainIncremental] = new(domain),
        [Learning.Scenario.ClassIncremental] = new(@class),
    };
}

/// <summary>How a measured mean stands to a published one.</summary>
public enum Verdict
{
    /// <summary>No published number is recorded here, or fewer than two seeds were run.</summary>
    None,

    /// <summary>Within two standard errors of the difference.</summary>
    Agrees,

    /// <summary>More than two standard errors above.</summary>
    Above,

    /// <summary>More than two standard errors below.</summary>
    Below,
}

/// <summary>Mean and standard error over seeds, in per cent.</summary>
/// <param name="Mean">The mean.</param>
/// <param name="Sem">sqrt(population variance / (n − 1)), as in van de Ven et al. 2022; NaN for a single seed.</param>
/// <param name="Seeds">n.</param>
public sealed record MeasuredNumber(double Mean, double Sem, int Seeds)
{
    /// <summary>From one number per seed.</summary>
    /// <param name="accuracies">In per cent; one or more.</param>
    public static MeasuredNumber Of(IReadOnlyList<double> accuracies)
    {
        ArgumentNullException.ThrowIfNull(accuracies);
        var mean = accuracies.Average();
        var variance = accuracies.Average(value => (value - mean) * (value - mean));
        return new MeasuredNumber(mean, accuracies.Count < 2 ? double.NaN : Math.Sqrt(variance / (accuracies.Count - 1)), accuracies.Count);
    }

    /// <summary>Checks what was read.</summary>
    /// <exception cref="FormatException">It is not what the seeds came to; the message names the field.</exception>
    internal void Check(string where, IReadOnlyList<double> seeds)
    {
        var of = Of(seeds);
        if (!(Math.Abs(Mean - of.Mean) < ResultsJson.Rounding)) throw new FormatException($"{where}.mean: {Mean}, expected {of.Mean}, the mean of the seeds");
        if (!(Math.Abs(Sem - of.Sem) < ResultsJson.Rounding || (double.IsNaN(Sem) && double.IsNaN(of.Sem))))
            throw new FormatException($"{where}.sem: {Sem}, expected {of.Sem}, the standard error over the seeds");
        if (Seeds != of.Seeds) throw new FormatException($"{where}.seeds: {Seeds}, expected {of.Seeds}");
    }

    /// <summary>Checks a standard error that was read; that of one seed is NaN.</summary>
    /// <exception cref="FormatException">It is negative; the message names the field.</exception>
    internal void CheckSem(string where)
    {
        if (Sem < 0) throw new FormatException($"{where}.sem: {Sem}, expected 0 or more");
    }

    /// <summary>Compares with a published number: two standard errors of the difference, taken as independent, decide.</summary>
    /// <param name="published">The number, or null.</param>
    /// <remarks>A published number without a standard error recorded here is taken as if its error were 0, the strictest reading.</remarks>
    public Verdict Against(PublishedNumber? published)
    {
        if (published is null || double.IsNaN(Sem)) return Verdict.None;
        var error = Math.Sqrt((Sem * Sem) + ((published.Sem ?? 0) * (published.Sem ?? 0)));
        return Math.Abs(Mean - published.Mean) <= (2 * error) + published.Rounding ? Verdict.Agrees
            : Mean > published.Mean ? Verdict.Above : Verdict.Below;
    }
}
