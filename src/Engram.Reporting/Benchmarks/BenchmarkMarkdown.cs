using System.Globalization;
using System.Text;
using Engram.Evaluation.Benchmarks;

namespace Engram.Reporting.Benchmarks;

/// <summary>A benchmark's table as Markdown, for documentation.</summary>
public static class BenchmarkMarkdown
{
    /// <summary>Renders the section.</summary>
    /// <param name="table">The table.</param>
    public static string Render(BenchmarkTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"## {table.Title}\n\n{table.Source}.\n\nProtocol: {table.Protocol}.\n\n");
        foreach (var scenario in table.Entries.GroupBy(entry => entry.Scenario))
        {
            text.Append(CultureInfo.InvariantCulture, $"### {BenchmarkNumbers.Title(scenario.Key)}\n\n");
            text.Append("| method | ours, % ± SEM | published, % ± SEM | | seeds | time of a seed | command |\n|---|--:|--:|---|--:|--:|---|\n");
            foreach (var entry in scenario)
                text.Append(CultureInfo.InvariantCulture,
                    $"| {entry.Title} | {BenchmarkNumbers.Of(entry.Measured)} | {BenchmarkNumbers.Of(entry.Published)} | {BenchmarkNumbers.Word(entry.Verdict)} | {entry.Measured.Seeds} | {entry.SecondsPerSeed:0} s | `{entry.Command}` |\n");
            text.Append('\n');
        }
        text.Append(CultureInfo.InvariantCulture,
            $"Computed by `{table.Command}`: {table.CellSeconds / 3600:0.0} hours of one thread each, on {table.Environment["processor"]} "
            + $"({table.Environment["cores"]} cores), libtorch {table.Environment["libtorch"]}, Engram {table.Environment["Engram"]}. ");
        text.Append(table.IsShort
            ? "The protocol was shortened: these numbers say nothing about the paper's.\n"
            : "*agrees*, *above* and *below* are meant by two standard errors of the difference.\n");
        return text.ToString();
    }
}
