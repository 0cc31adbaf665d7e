using System.Globalization;
using System.Text;
using Engram.Evaluation.Benchmarks;

namespace Engram.Reporting.Benchmarks;

/// <summary>A benchmark's table as Markdown, for documentation.</summary>
public static class BenchmarkMarkdown
{
    /// <summary>A document with the section in the place of the former one of the same benchmark, or at its end.</summary>
    /// <param name="document">The document so far, or null.</param>
    /// <param name="table">The table.</param>
    public static string Into(string? document, BenchmarkTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        var (begin, end) = ($"<!-- engram bench {table.Benchmark} -->\n", $"<!-- end of engram bench {table.Benchmark} -->\n");
        var section = begin + Render(table) + end;
        if (string.IsNullOrEmpty(document)) return section;
        var first = document.IndexOf(begin, StringComparison.Ordinal);
        var last = first < 0 ? -1 : document.IndexOf(end, first, StringComparison.Ordinal);
        return last < 0 ? $"{document.TrimEnd('\n')}\n\n{section}" : document[..first] + section + document[(last + end.Length)..];
    }

    /// <summary>Renders the section.</summary>
    /// <param name="table">The table.</param>
    public static string Render(BenchmarkTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"## {table.Title}\n\n{table.Source}.\n\nProtocol: {table.Protocol}.\n\n");
        foreach (var scenario in table.Entries.GroupBy(entry => entry.Scenario))
        {
            text.Append(CultureInfo.InvariantCulture, $"### {BenchmarkNumbers.Title(table, scenario.Key)}\n\n");
            text.Append("| method | ours, % ± SEM | published, % ± SEM | | BWT, points | seeds | time of a seed | command |\n|---|--:|--:|---|--:|--:|--:|---|\n");
            foreach (var entry in scenario)
                text.Append(CultureInfo.InvariantCulture,
                    $"| {entry.Title} | {BenchmarkNumbers.Of(entry.Measured)} | {BenchmarkNumbers.Of(entry.Published)} | {BenchmarkNumbers.Word(entry.Verdict)} | {BenchmarkNumbers.Of(entry.Transfer)} | {BenchmarkNumbers.Seeds(entry)} | {entry.SecondsPerSeed:0} s | `{entry.Command}` |\n");
            text.Append('\n');
        }
        foreach (var (says, entries) in BenchmarkLists.Of(table)) text.Append(CultureInfo.InvariantCulture, $"**{says}**: {entries}.\n\n");
        text.Append(CultureInfo.InvariantCulture,
            $"Computed by `{table.Command}`: {table.CellSeconds / 3600:0.0} hours of one thread each, on {table.Environment["processor"]} "
            + $"({table.Environment["cores"]} cores), libtorch {table.Environment["libtorch"]}, Engram {table.Environment["Engram"]}. ");
        text.Append(table.IsShort
            ? "The protocol was shortened: these numbers say nothing about the paper's.\n"
            : $"*agrees*, *above* and *below* are {BenchmarkLists.Marks}. BWT: backward transfer (docs/results.md), on the outputs that the "
                + "scenario has.\n");
        return text.ToString();
    }
}
