using System.Globalization;
using System.Text;
using Engram.Evaluation.Benchmarks;
using Engram.Learning;

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
                    $"| {entry.Title} | {BenchmarkNumbers.Of(entry.Measured)} | {BenchmarkNumbers.Of(entry.Published)} | {BenchmarkNumbers.Word(entry.Verdict)} | {BenchmarkNumbers.Of(entry.Transfer)} | {entry.Measured.Seeds} | {entry.SecondsPerSeed:0} s | `{entry.Command}` |\n");
            text.Append('\n');
        }
        if (!table.IsShort) Verified(text, table);
        text.Append(CultureInfo.InvariantCulture,
            $"Computed by `{table.Command}`: {table.CellSeconds / 3600:0.0} hours of one thread each, on {table.Environment["processor"]} "
            + $"({table.Environment["cores"]} cores), libtorch {table.Environment["libtorch"]}, Engram {table.Environment["Engram"]}. ");
        text.Append(table.IsShort
            ? "The protocol was shortened: these numbers say nothing about the paper's.\n"
            : "*agrees*, *above* and *below* are meant by two standard errors of the difference. BWT: backward transfer "
                + "(docs/results.md), on the outputs that the scenario has.\n");
        return text.ToString();
    }

    private static void Verified(StringBuilder text, BenchmarkTable table)
    {
        ListOf("Verified, agrees with the paper", entry => entry.Verdict == Verdict.Agrees);
        ListOf("Above the paper", entry => entry.Verdict == Verdict.Above);
        ListOf("Below the paper", entry => entry.Verdict == Verdict.Below);
        ListOf("Not verified, the paper gives no number", entry => entry.Published is null);
        ListOf("Not verified, one seed tells no standard error", entry => entry is { Published: not null, Verdict: Verdict.None });
        List("Not computed", table.Missing.Select(missing => (missing.Title, missing.Scenario)));

        void ListOf(string says, Func<BenchmarkEntry, bool> which) =>
            List(says, table.Entries.Where(which).Select(entry => (entry.Title, entry.Scenario)));

        void List(string says, IEnumerable<(string Title, Scenario Scenario)> entries)
        {
            string[] some = [.. entries.GroupBy(entry => entry.Title)
                .Select(group => $"{group.Key} ({string.Join(", ", group.Select(entry => table.NameOf(entry.Scenario)))})")];
            if (some.Length > 0) text.Append(CultureInfo.InvariantCulture, $"**{says}**: {string.Join("; ", some)}.\n\n");
        }
    }
}
