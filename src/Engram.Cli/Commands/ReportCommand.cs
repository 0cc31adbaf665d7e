using System.CommandLine;
using Engram.Evaluation;
using Engram.Evaluation.Benchmarks;
using Engram.Evaluation.Tuning;
using Engram.Reporting;
using Engram.Reporting.Benchmarks;
using Engram.Reporting.Tuning;

namespace Engram.Cli.Commands;

/// <summary><c>engram report</c>: makes page and pictures anew from the results of a run, a benchmark or a search.</summary>
internal static class ReportCommand
{
    public static Command Build(CliHost host)
    {
        var run = new Argument<string>("RUN") { Description = "Folder of a run, of a benchmark or of a search.", HelpName = "RUN" };
        var command = new Command("report", "Make the report of a run, a benchmark or a search anew from its results.") { run, ErrorPolicy.Verbose() };
        command.SetAction(parsed =>
        {
            foreach (var file in Write(parsed.GetValue(run)!)) host.Out.WriteLine(file);
            return ExitCode.Success;
        });
        Examples.Of(command,
            "engram report runs/digits-20260501-120000", "engram report runs/bench-split-mnist", "engram report runs/tune-split-mnist");
        return command;
    }

    private static IReadOnlyList<string> Write(string folder) => RunFolder.Results(folder) switch
    {
        TuningResults search => TuningReport.Write(search, folder),
        BenchmarkTable table => BenchmarkReport.Write(table, folder),
        var run => ReportWriter.Write((RunResults)run, folder),
    };
}
