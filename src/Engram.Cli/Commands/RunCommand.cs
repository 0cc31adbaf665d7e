using System.CommandLine;

namespace Engram.Cli.Commands;

/// <summary><c>engram run</c>: the experiments, and going on with one that was stopped.</summary>
internal static class RunCommand
{
    private const string ResumeName = "--resume";

    public static Command Build(CliHost host)
    {
        var file = new Argument<string?>("FILE")
        {
            Description = "An experiment described in YAML (see: engram init --help).",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var resume = OptionOf.Text(ResumeName, "Folder of a run that was stopped: it goes on where it was.", "RUN");
        var seed = OptionOf.Number("--seed", "Seed instead of the file's.", null, 0, long.MaxValue);
        var threads = RunDigitsCommand.Threads();
        var output = OptionOf.Text("--out", "Folder to write to [default: runs/<name>-<time>]", "DIR");
        var data = OptionOf.Text("--data", $"Folder or archive with the data {DataFolder.Default}", "PATH");
        var (json, every) = (RunDigitsCommand.Json(), RunDigitsCommand.SaveEvery());
        var command = new Command("run", "Run an experiment, or go on with one that was stopped.")
        {
            file, resume, seed, threads, output, data, json, every, ErrorPolicy.Verbose(),
        };
        command.Subcommands.Add(RunDigitsCommand.Build(host));
        command.SetAction(parsed =>
        {
            var settings = Settings(parsed, file, resume, seed, threads, output);
            return new ExperimentRun(host, settings with
            {
                Data = parsed.GetValue(data) ?? settings.Data,
                Json = parsed.GetValue(json),
                SaveEvery = TimeSpan.FromSeconds(parsed.GetValue(every)),
            }).Run();
        });
        Examples.Of(command,
            "engram run digits",
            "engram run digits --quick --strategies naive,replay",
            "engram init my.yaml && engram run my.yaml           an experiment of your own",
            "engram run --resume runs/digits-20260501-120000     go on after Ctrl-C, a crash or a power cut");
        return command;
    }

    private static RunSettings Settings(
        ParseResult parsed, Argument<string?> file, Option<string?> resume, Option<long> seed, Option<long> threads, Option<string?> output)
    {
        var (path, folder) = (parsed.GetValue(file), parsed.GetValue(resume));
        if (path is not null && folder is not null)
            throw new UsageException($"{ResumeName}: given with \"{path}\", expected one of the two");
        if (path is not null)
        {
            if (!File.Exists(path))
                throw new UsageException($"run: \"{path}\" is no experiment and no file, expected digits or a file (see: engram init --help)");
            var own = parsed.GetResult(seed) is null ? (long?)null : parsed.GetValue(seed);
            return RunFileSettings.Read(path, own, (int)parsed.GetValue(threads)) with { Out = parsed.GetValue(output) };
        }
        if (folder is null) throw new UsageException($"run: nothing chosen, expected digits, FILE or {ResumeName} RUN");
        foreach (Option option in new Option[] { seed, threads, output })
            if (parsed.GetResult(option) is { Implicit: false })
                throw new UsageException($"{option.Name}: given with {ResumeName}, expected none, for the run in \"{folder}\" has its own");
        return RunSettings.Of(folder);
    }

    /// <summary>What to type to go on with a run.</summary>
    public static string ToResume(string folder) =>
        $"engram run {ResumeName} {CommandLine.Quoted(folder)}";
}
