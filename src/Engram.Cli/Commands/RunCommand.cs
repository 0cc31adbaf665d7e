using System.CommandLine;

namespace Engram.Cli.Commands;

/// <summary><c>engram run</c>: the experiments, and going on with one that was stopped.</summary>
internal static class RunCommand
{
    private const string ResumeName = "--resume";

    public static Command Build(CliHost host)
    {
        var resume = OptionOf.Text(ResumeName, "Folder of a run that was stopped: it goes on where it was.", "RUN");
        var (data, json, every) = (RunDigitsCommand.Data(), RunDigitsCommand.Json(), RunDigitsCommand.SaveEvery());
        var command = new Command("run", "Run an experiment, or go on with one that was stopped.")
        {
            resume, data, json, every, ErrorPolicy.Verbose(),
        };
        var digits = RunDigitsCommand.Build(host);
        command.Subcommands.Add(digits);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(resume) is not { } folder)
                throw new UsageException($"run: nothing chosen, expected {digits.Name} or {ResumeName} RUN");
            return new RunDigits(host, RunDigitsSettings.Of(folder) with
            {
                Data = parsed.GetValue(data),
                Json = parsed.GetValue(json),
                SaveEvery = TimeSpan.FromSeconds(parsed.GetValue(every)),
            }).Run();
        });
        Examples.Of(command,
            "engram run digits",
            "engram run digits --quick --strategies naive,replay",
            "engram run --resume runs/digits-20260501-120000     go on after Ctrl-C, a crash or a power cut");
        return command;
    }

    /// <summary>What to type to go on with a run.</summary>
    public static string ToResume(string folder) =>
        $"engram run {ResumeName} {(folder.Contains(' ', StringComparison.Ordinal) ? $"\"{folder}\"" : folder)}";
}
