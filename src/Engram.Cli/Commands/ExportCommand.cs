using System.CommandLine;
using System.Text.Json;
using Engram.Analytic;
using Engram.Cli.Progress;
using Engram.Persistence;
using Engram.Persistence.Onnx;

namespace Engram.Cli.Commands;

/// <summary><c>engram export</c>: the model of a bundle as a file that other programs read.</summary>
internal static class ExportCommand
{
    private const string Onnx = "onnx", Safetensors = "safetensors";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    public static Command Build(CliHost host)
    {
        var bundle = new Argument<string>("bundle") { Description = "Folder of the bundle.", HelpName = "BUNDLE" };
        var format = OptionOf.Text("--format", "onnx: the whole model, to run; safetensors: its weights by name [default: as FILE ends]", "FORMAT");
        var output = OptionOf.Text("--out", "The file to write; one that is there is replaced.", "FILE");
        output.Required = true;
        var json = OptionOf.Switch("--json", "Write one JSON object to standard output.");
        var command = new Command("export", "Write the model of a bundle as ONNX or safetensors, for other programs.")
        {
            bundle, format, output, json, ErrorPolicy.Verbose(),
        };
        command.SetAction(parsed =>
        {
            var (path, file) = (parsed.GetValue(bundle)!, parsed.GetValue(output)!);
            InspectCommand.RequireFolder(path);
            var chosen = Format(parsed.GetValue(format), file);
            RequirePlace(file);
            var description = Bundle.Describe(path);
            Refusing(() => Write(path, description, chosen, file));
            Tell(host, description, chosen, file, parsed.GetValue(json));
            return ExitCode.Success;
        });
        Examples.Of(command,
            "engram export models/replay --out digits.onnx",
            "engram export models/replay --format safetensors --out digits.safetensors",
            "engram export models/replay --out digits.onnx --json");
        return command;
    }

    private static string Format(string? asked, string file)
    {
        if (asked is Onnx or Safetensors) return asked;
        if (asked is not null) throw new UsageException($"--format: \"{asked}\", expected {Onnx} or {Safetensors}");
        return Path.GetExtension(file).ToLowerInvariant() switch
        {
            ".onnx" => Onnx,
            ".safetensors" => Safetensors,
            _ => throw new UsageException($"--format: none, expected {Onnx} or {Safetensors}, or a FILE that ends so"),
        };
    }

    private static void RequirePlace(string file)
    {
        if (Directory.Exists(file)) throw new UsageException($"--out: \"{file}\" is a folder, expected a file");
        if (Path.GetDirectoryName(Path.GetFullPath(file)) is not { } folder || !Directory.Exists(folder))
            throw new UsageException($"--out: \"{file}\" is in no folder that exists, expected one");
    }

    private static void Write(string path, BundleDescription bundle, string format, string file)
    {
        if (format == Onnx) OnnxFile.Write(file, path);
        else if (bundle.Kind == BundleKind.Learner) WeightsFile.Write(file, path);
        else
        {
            using var learner = AnalyticBundle.Load(path);
            WeightsFile.Write(file, learner, bundle.Id);
        }
    }

    private static void Refusing(Action write)
    {
        try
        {
            write();
        }
        catch (Exception problem) when (problem is NotSupportedException or InvalidOperationException)
        {
            throw new UsageException($"bundle: {problem.Message}", problem);
        }
    }

    private static void Tell(CliHost host, BundleDescription bundle, string format, string file, bool json)
    {
        var predicting = bundle.LearnerManifest?.Mechanisms.Where(mechanism => mechanism.Predicts).Select(mechanism => mechanism.Name).ToArray() ?? [];
        var bytes = new FileInfo(file).Length;
        if (json)
        {
            host.Out.WriteLine(JsonSerializer.Serialize(
                new { format, file = Path.GetFullPath(file), bytes, labels = bundle.Classes.Select(c => c.Label), predicting }, s_json));
            return;
        }
        host.Out.WriteLine($"{file}: {bundle.Model}, {bundle.Classes.Count} classes, {Words.Number(bytes)} bytes");
        if (format == Safetensors && predicting.Length > 0)
            host.Out.WriteLine($"{string.Join(", ", predicting)} takes part in prediction: these weights alone predict otherwise");
        if (format == Onnx && (string?)bundle.LearnerManifest?.Learner.Options["precision"] is { } precision and not "float32")
            host.Out.WriteLine($"learnt in {precision}, and the file computes in float32: scores differ by the precision");
    }
}
