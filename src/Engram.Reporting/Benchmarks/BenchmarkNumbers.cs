using System.Globalization;
using Engram.Evaluation.Benchmarks;
using Engram.Learning;

namespace Engram.Reporting.Benchmarks;

/// <summary>Numbers of benchmarks as people read them, the same on a page, in Markdown and on a terminal.</summary>
public static class BenchmarkNumbers
{
    /// <summary>Mean ± standard error, in the number's unit.</summary>
    /// <param name="number">The number.</param>
    public static string Of(MeasuredNumber number)
    {
        ArgumentNullException.ThrowIfNull(number);
        return Of(number.Mean, number.Sem);
    }

    /// <summary>Mean ± standard error where one is recorded; a dash for no number.</summary>
    /// <param name="number">The number.</param>
    public static string Of(PublishedNumber? number) => number is null ? "–" : Of(number.Mean, number.Sem ?? double.NaN);

    /// <summary>What is recorded of a method's paper: accuracy in per cent and backward transfer in points; a dash for no number.</summary>
    /// <param name="method">The method.</param>
    /// <param name="scenario">The scenario.</param>
    public static string Published(BenchmarkMethod method, Scenario scenario)
    {
        ArgumentNullException.ThrowIfNull(method);
        var accuracy = Of(method.Published.GetValueOrDefault(scenario));
        return method.PublishedTransfer.GetValueOrDefault(scenario) is { } transfer
            ? $"{accuracy}, BWT {Signed(transfer.Mean, transfer.Sem ?? double.NaN)}"
            : accuracy;
    }

    /// <summary>How many seeds an entry is of, and of how many that were asked for where some are missing.</summary>
    /// <param name="entry">The entry.</param>
    public static string Seeds(BenchmarkEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var seeds = entry.Measured.Seeds;
        return string.Create(CultureInfo.InvariantCulture, $"{seeds}{(entry.Asked > seeds ? $" of {entry.Asked}" : "")}");
    }

    /// <summary>Backward transfer in points, with what is published where something is; a dash for none.</summary>
    /// <param name="transfer">The backward transfer.</param>
    public static string Of(TransferEntry? transfer) => transfer switch
    {
        null => "–",
        { Published: { } published } => $"{Signed(transfer.Measured.Mean, transfer.Measured.Sem)} (published {Signed(published.Mean, published.Sem ?? double.NaN)}{(transfer.Verdict == Verdict.None ? "" : $", {Word(transfer.Verdict)}")})",
        _ => Signed(transfer.Measured.Mean, transfer.Measured.Sem),
    };

    /// <summary>A verdict in a word; none is empty.</summary>
    /// <param name="verdict">The verdict.</param>
    public static string Word(Verdict verdict) => verdict == Verdict.None ? "" : verdict.ToString().ToLowerInvariant();

    /// <summary>A scenario as a heading.</summary>
    /// <param name="table">The table that it is in.</param>
    /// <param name="scenario">The scenario.</param>
    public static string Title(BenchmarkTable table, Scenario scenario)
    {
        ArgumentNullException.ThrowIfNull(table);
        var name = table.NameOf(scenario);
        return name == BenchmarkCell.NameOf(scenario) ? $"{name}-incremental" : name;
    }

    private static string Signed(double mean, double sem) => (mean > 0 ? "+" : "") + Of(mean, sem);

    private static string Of(double mean, double sem) =>
        mean.ToString("0.00", CultureInfo.InvariantCulture)
        + (double.IsNaN(sem) ? "" : " ± " + sem.ToString("0.00", CultureInfo.InvariantCulture));
}
