using System.Globalization;
using Engram.Evaluation.Benchmarks;
using Engram.Learning;

namespace Engram.Reporting.Benchmarks;

/// <summary>Numbers of benchmarks as people read them, the same on a page and in Markdown.</summary>
internal static class BenchmarkNumbers
{
    public static string Of(MeasuredNumber number) => Of(number.Mean, number.Sem);

    public static string Of(PublishedNumber? number) => number is null ? "–" : Of(number.Mean, number.Sem ?? double.NaN);

    public static string Word(Verdict verdict) => verdict == Verdict.None ? "" : verdict.ToString().ToLowerInvariant();

    public static string Title(Scenario scenario) => $"{BenchmarkCell.NameOf(scenario)}-incremental";

    private static string Of(double mean, double sem) =>
        mean.ToString("0.00", CultureInfo.InvariantCulture)
        + (double.IsNaN(sem) ? "" : " ± " + sem.ToString("0.00", CultureInfo.InvariantCulture));
}
