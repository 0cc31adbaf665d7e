using System.CommandLine;
using Engram.Reporting;

namespace Engram.Cli.Commands;

/// <summary><c>engram report</c>: makes page and pictures anew from a run's results.</summary>
internal static class ReportCommand
{
    public static Command Build(CliHost host)
    {
        var run = new Argument<string>("RUN") { Description = "Folder of a run.", HelpName = "RUN" };
        var command = new Command("report", "Make the report of a run anew from its results.") { run, ErrorPolicy.Verbose() };
        command.SetAction(parsed =>
        {
            var folder = parsed.GetValue(run)!;
            foreach (var file in ReportWriter.Write(RunFolder.Results(folder), folder)) host.Out.WriteLine(file);
            return ExitCode.Success;
        });
        Examples.Of(command, "engram report runs/digits-20260501-120000");
        return command;
    }
}
