using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Engram.Analytic;
using Engram.Cli.Progress;
using Engram.Persistence;
using Spectre.Console;

namespace Engram.Cli.Commands;

/// <summary><c>engram inspect</c>: what a bundle knows, how it came to know it, and how large it is.</summary>
internal static class InspectCommand
{
    public static Command Build(CliHost host)
    {
        var folder = new Argument<string>("bundle") { Description = "Folder of the bundle.", HelpName = "BUNDLE" };
        var verify = OptionOf.Switch("--verify", "Read every part too, and check it against its SHA-256.");
        var json = OptionOf.Switch("--json", "Write the manifest to standard output.");
        var command = new Command("inspect", "Show what a bundle knows, when it learnt it, how well it kept it, and its sizes.")
        {
            folder, verify, json, ErrorPolicy.Verbose(),
        };
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(folder)!;
            RequireFolder(path);
            var bundle = Bundle.Describe(path);
            if (parsed.GetValue(verify)) Verify(path, bundle.Kind);
            if (parsed.GetValue(json))
                host.Out.WriteLine(File.ReadAllText(Path.Combine(path, "manifest.json")).TrimEnd());
            else
                Print(host.Console, path, bundle);
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

    private static void Verify(string path, BundleKind kind)
    {
        if (kind == BundleKind.Analytic) AnalyticBundle.Verify(path);
        else Bundle.Verify(path);
    }

    private static void Print(IAnsiConsole console, string path, BundleDescription bundle)
    {
        var lineage = bundle.Lineage;
        var grid = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn();
        void Row(string name, string value) => grid.AddRow(Markup.Escape(name), Markup.Escape(value));

        Row("bundle", $"{path}, format {bundle.Version}, id {bundle.Id[..12]}");
        Row("written by", $"Engram {lineage.CodeVersion}{(lineage.Saved is { } saved ? $", {Time(saved)}" : "")}");
        Row("made from", lineage.Parent is { } parent ? parent[..Math.Min(parent.Length, 12)] : "no other bundle");
        if (lineage.Data is { } data) Row("data", data);
        foreach (var (name, value) in lineage.Settings) Row($"setting {name}", Setting(value));
        Row("model", bundle.Model);
        Row("input", bundle.InputShape is { } shape
            ? $"{bundle.InputType} [{string.Join(", ", shape)}]"
            : bundle.Learnt.Count == 0 ? "nothing learnt yet" : "not said, in this version of the format");
        Row("classes", bundle.Classes.Count == 0 ? "none" : $"{bundle.Classes.Count}: {Names(bundle.Classes)}");
        if (bundle.LearnerManifest is { } manifest) Learning(manifest, Row);
        else Row("learnt", $"{Number(bundle.Learnt.Count)} experience(s), in closed form");
        foreach (var part in lineage.History ?? []) Row($"learnt {part.Name}", Kept(part));
        foreach (var (name, value) in lineage.Metrics)
            Row(name, value.ToString("0.0000", CultureInfo.InvariantCulture));
        foreach (var part in bundle.Parts) Row($"part {part.Name}", $"{Number(part.Bytes)} bytes");
        Row("in all", $"{Number(bundle.Parts.Sum(part => part.Bytes))} bytes");
        console.Write(grid);
    }

    private static void Learning(BundleManifest manifest, Action<string, string> row)
    {
        var (learner, optimizer) = (manifest.Learner, manifest.Optimizer);
        row("learnt", $"{Number(learner.Completed)} experience(s), which added {string.Join(", ", manifest.Model.Growth)} classes"
            + (learner.Cursor is { } cursor ? $"; interrupted in experience {cursor.Experience} after step {Number(cursor.Step)}" : ""));
        row("mechanisms", manifest.Mechanisms.Count == 0
            ? "none"
            : string.Join(", ", manifest.Mechanisms.Select(m => m.Predicts ? $"{m.Name} (takes part in prediction)" : m.Name)));
        row("optimiser", $"{Number(optimizer.Steps)} steps, learning rate {optimizer.LearningRate.ToString(CultureInfo.InvariantCulture)}");
    }

    private static string Setting(JsonNode? value)
    {
        const int Most = 200;
        var text = value is JsonValue single && single.TryGetValue<string>(out var plain) ? plain : value?.ToJsonString() ?? "none";
        return text.Length > Most ? $"{text[..Most]}..." : text;
    }

    private static string Kept(LearntPart part)
    {
        static string Share(double? accuracy) =>
            accuracy is { } known ? known.ToString("0.0 %", CultureInfo.InvariantCulture) : "not measured";
        return $"{(part.Learnt is { } time ? Time(time) : "at a time not noted")}: accuracy {Share(part.AccuracyThen)} then, {Share(part.AccuracyNow)} now";
    }

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);

    private static string Names(IReadOnlyList<BundleClass> classes)
    {
        const int Most = 20;
        var names = classes.Take(Most).Select(c => c.Task is { } task ? $"{c.Label} (task {task})" : c.Label);
        return string.Join(", ", names) + (classes.Count > Most ? ", ..." : "");
    }

    private static string Number(long number) => Words.Number(number);
}
