using System.Globalization;
using Engram.Evaluation.Benchmarks;

namespace Engram.Cli.Commands.Bench;

/// <summary>Numbers of benchmarks as people read them.</summary>
internal static class BenchNumbers
{
    public static string Of(PublishedNumber? number) => number is null ? "-" : Of(number.Mean, number.Sem ?? double.NaN);

    public static string Of(MeasuredNumber number) => Of(number.Mean, number.Sem);

    private static string Of(double mean, double sem) =>
        mean.ToString("0.00", CultureInfo.InvariantCulture)
        + (double.IsNaN(sem) ? "" : " ± " + sem.ToString("0.00", CultureInfo.InvariantCulture));
}
