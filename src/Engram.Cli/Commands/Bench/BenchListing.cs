using Engram.Evaluation.Benchmarks;
using Engram.Reporting.Benchmarks;
using Spectre.Console;

namespace Engram.Cli.Commands.Bench;

/// <summary>What <c>engram bench list</c> shows.</summary>
internal static class BenchListing
{
    public static int Write(IAnsiConsole console)
    {
        foreach (var benchmark in BenchmarkList.All)
        {
            var name = benchmark.Family == benchmark.Name ? benchmark.Name : $"{benchmark.Family} --scenario {benchmark.NameOf(benchmark.Scenarios[0])}";
            console.MarkupLineInterpolated($"[bold]{name}[/]  {benchmark.Title}; data: {benchmark.DataName}");
            console.WriteLine($"  {benchmark.Source}");
            console.WriteLine($"  {benchmark.Protocol}");
            var table = new Table().Border(TableBorder.Simple).AddColumn("method").AddColumn("title");
            foreach (var scenario in benchmark.Scenarios)
                table.AddColumn(new TableColumn($"published, {benchmark.NameOf(scenario)}").RightAligned());
            foreach (var method in benchmark.Methods)
                table.AddRow([method.Name, Markup.Escape(method.Title), .. benchmark.Scenarios.Select(scenario =>
                    !method.Scenarios.Contains(scenario) ? "not run" : BenchmarkNumbers.Published(method, scenario))]);
            console.Write(table);
        }
        console.WriteLine("–: no number of the paper is recorded here. BWT: backward transfer in points.");
        return ExitCode.Success;
    }
}
