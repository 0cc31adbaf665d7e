using System.CommandLine;
using System.Globalization;

namespace Engram.Cli.Commands.Tune;

/// <summary><c>engram tune</c>: chooses settings of an experiment's file on validation samples.</summary>
internal static class TuneCommand
{
    public static Command Build(CliHost host)
    {
        var file = new Argument<string?>("FILE")
        {
            Description = "An experiment in YAML with a section tune that says what to vary (see docs/guides/tuning.md).",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var method = OptionOf.Text("--method", "Method instead of the file's: grid, random, halving or continual.", "NAME");
        var seed = OptionOf.Number("--seed", "Seed instead of the file's.", null, 0, long.MaxValue);
        var jobs = OptionOf.Number("--jobs", "Trials that run at once, one thread each; threads of the continual procedure.", Environment.ProcessorCount, 1, Environment.ProcessorCount);
        var output = OptionOf.Text("--out", "Folder to write to; what was measured in it is not measured again [default: runs/tune-<name>]", "DIR");
        var data = OptionOf.Text("--data", $"Folder or archive with the data {DataFolder.Default}", "PATH");
        var only = OptionOf.Number("--only", "Measure this trial alone and write no report.", null, 0, int.MaxValue);
        var share = OptionOf.Text("--share", "Share of the samples that --only is measured on.", "X");
        var json = OptionOf.Switch("--json", "Write events and the result as lines of JSON, and nothing else, to standard output.");
        var command = new Command("tune", "Choose an experiment's settings on validation samples; no test sample is read.")
        {
            file, method, seed, jobs, output, data, only, share, json, ErrorPolicy.Verbose(),
        };
        command.Subcommands.Add(TrialCellCommand.Build(host));
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(file) ?? throw new UsageException("FILE: missing, expected an experiment (see: engram tune --help)");
            var settings = TuneSettings.Read(path, parsed.GetValue(method), parsed.GetResult(seed) is null ? null : parsed.GetValue(seed));
            settings = settings with
            {
                Jobs = (int)parsed.GetValue(jobs),
                Out = parsed.GetValue(output) ?? settings.Out,
                Data = parsed.GetValue(data),
                Only = parsed.GetResult(only) is null ? null : (int)parsed.GetValue(only),
                Share = Share(parsed.GetValue(share)),
                Json = parsed.GetValue(json),
            };
            var isContinual = settings.Section.Method == TuneSettings.Continual;
            if (isContinual && settings.Only is { } one)
                throw new UsageException($"--only: {one} with the continual procedure, expected none, for each attempt follows from those before");
            var source = Path.GetFullPath(settings.File.FindData(settings.Data));
            settings = settings with { Source = source, Fingerprint = settings.File.FingerprintOfTraining(source) };
            return isContinual
                ? new ContinualTuneRun(host, settings).Run()
                : new TuneRun(host, settings).Run();
        });
        Examples.Of(command,
            "engram init my.yaml && engram tune my.yaml              a random search over what its section tune varies",
            "engram tune my.yaml --method halving --jobs 1           beside other work",
            "engram tune my.yaml --method continual                  sees the present experience only",
            "engram run runs/tune-split-mnist/chosen.yaml            the chosen settings, on test samples");
        return command;
    }

    private static double Share(string? text) => text is null ? 1
        : double.TryParse(text, CultureInfo.InvariantCulture, out var share) && share is > 0 and <= 1 ? share
        : throw new UsageException($"--share: \"{text}\", expected above 0, at most 1");
}
