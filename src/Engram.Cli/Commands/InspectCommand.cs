using System.CommandLine;
using System.Globalization;
using Engram.Cli.Progress;
using Engram.Persistence;
using Spectre.Console;

namespace Engram.Cli.Commands;

/// <summary><c>engram inspect</c>: what a bundle knows, how it came to know it, and how large it is.</summary>
internal static class InspectCommand
{
    public static Command Build(CliHost host)
    {
        var bundle = new Argument<string>("bundle") { Description = "Folder of the bundle.", HelpName = "BUNDLE" };
        var verify = OptionOf.Switch("--verify", "Read every part too, and check it against its SHA-256.");
        var json = OptionOf.Switch("--json", "Write the manifest to standard output.");
        var command = new Command("inspect", "Show what a bundle knows, how well it kept it, and its sizes.")
        {
            bundle, verify, json, ErrorPolicy.Verbose(),
        };
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(bundle)!;
            RequireFolder(path);
            var manifest = parsed.GetValue(verify) ? Bundle.Verify(path) : Bundle.ReadManifest(path);
            if (parsed.GetValue(json))
                host.Out.WriteLine(File.ReadAllText(Path.Combine(path, "manifest.json")).TrimEnd());
            else
                Print(host.Console, path, manifest);
            return ExitCode.Success;
        });
        Examples.Of(command,
            "engram inspect runs/digits-20260301-140509/models/replay",
            "engram inspect models/replay --verify",
            "engram inspect models/replay --json");
        return command;
    }

    public static void RequireFolder(string path)
    {
        if (!Directory.Exists(path)) throw new UsageException($"bundle: \"{path}\" is no folder, expected a bundle");
    }

    private static void Print(IAnsiConsole console, string path, BundleManifest manifest)
    {
        var (model, learner, lineage) = (manifest.Model, manifest.Learner, manifest.Lineage);
        var grid = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn();
        void Row(string name, string value) => grid.AddRow(Markup.Escape(name), Markup.Escape(value));

        Row("bundle", $"{path}, format {manifest.Version}, id {manifest.Id[..12]}");
        Row("written by", $"Engram {lineage.CodeVersion}");
        Row("made from", lineage.Parent is { } parent ? parent[..12] : "no other bundle");
        if (lineage.Data is { } data) Row("data", data);
        Row("model", $"{model.Backbone}, {model.Head} head over {model.Features} features");
        Row("input", learner.InputShape is { } shape
            ? $"{learner.InputType} [{string.Join(", ", shape)}]"
            : "nothing learnt yet");
        Row("classes", manifest.Classes.Count == 0 ? "none" : $"{manifest.Classes.Count}: {Names(manifest)}");
        Row("learnt", $"{Number(learner.Completed)} experience(s), which added {string.Join(", ", model.Growth)} classes"
            + (learner.Cursor is { } cursor ? $"; interrupted in experience {cursor.Experience} after step {Number(cursor.Step)}" : ""));
        Row("mechanisms", manifest.Mechanisms.Count == 0
            ? "none"
            : string.Join(", ", manifest.Mechanisms.Select(m => m.Predicts ? $"{m.Name} (takes part in prediction)" : m.Name)));
        Row("optimiser", $"{Number(manifest.Optimizer.Steps)} steps, learning rate {manifest.Optimizer.LearningRate.ToString(CultureInfo.InvariantCulture)}");
        foreach (var (name, value) in lineage.Metrics)
            Row(name, value.ToString("0.0000", CultureInfo.InvariantCulture));
        foreach (var part in manifest.Parts) Row($"part {part.Name}", $"{Number(part.Bytes)} bytes");
        Row("in all", $"{Number(manifest.Parts.Sum(part => part.Bytes))} bytes");
        console.Write(grid);
    }

    private static string Names(BundleManifest manifest)
    {
        const int Most = 20;
        var names = manifest.Classes.Take(Most).Select(c => c.Task is { } task ? $"{c.Label} (task {task})" : c.Label);
        return string.Join(", ", names) + (manifest.Classes.Count > Most ? ", ..." : "");
    }

    private static string Number(long number) => Words.Number(number);
}
