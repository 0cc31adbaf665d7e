using System.CommandLine;
using System.Globalization;
using Engram.Cli.Images;
using Engram.Data;
using TorchSharp;

namespace Engram.Cli.Commands;

/// <summary><c>engram predict</c>: labels for the samples of a file, by the model of a bundle.</summary>
internal static class PredictCommand
{
    private const int BatchSize = 256;

    public static Command Build(CliHost host)
    {
        var bundle = new Argument<string>("bundle") { Description = "Folder of the bundle.", HelpName = "BUNDLE" };
        var input = new Argument<string>("input")
        {
            Description = "Samples: a PNG or JPEG image or a folder of them, idx images (.gz too), CSV with one sample per line, or JSON lines of number arrays.",
            HelpName = "INPUT",
        };
        var task = OptionOf.Number("--task", "The task of the samples, for a model that learnt tasks apart.", null, 0, int.MaxValue);
        var top = OptionOf.Number("--top", "How many of the best labels to show, with their probabilities; without it, of a model with several labels per sample, all that apply.", 1, 1, 1000);
        var resize = OptionOf.Switch("--resize", "Scale images to the model's height and width instead of refusing others.");
        var json = OptionOf.Switch("--json", "Write one JSON object per sample to standard output.");
        var command = new Command("predict", "Predict the labels or values of samples in a file with the model of a bundle.")
        {
            bundle, input, task, top, resize, json, ErrorPolicy.Verbose(),
        };
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(bundle)!;
            InspectCommand.RequireFolder(path);
            using var model = PredictingModel.Load(path);
            var chosen = parsed.GetResult(task) is { Implicit: false } ? (int?)parsed.GetValue(task) : null;
            RequireTask(model, chosen);
            var asked = parsed.GetResult(top) is { Implicit: false };
            if (asked && model.Kind == TargetKind.Regression)
                throw new UsageException("--top: the model predicts values, expected none, for all are shown");
            var rows = new PredictedRows(model, asked || model.Kind == TargetKind.Classes ? (int)parsed.GetValue(top) : null);
            foreach (var (samples, first, files) in Batches(model, parsed.GetValue(input)!, parsed.GetValue(resize)))
            {
                host.CancellationToken.ThrowIfCancellationRequested();
                using var _ = samples;
                foreach (var row in rows.Of(samples, first, files, chosen))
                    host.Out.WriteLine(parsed.GetValue(json) ? row.Json() : row.Plain());
            }
            return ExitCode.Success;
        });
        Examples.Of(command,
            "engram predict models/replay data/mnist/t10k-images-idx3-ubyte.gz",
            "engram predict models/replay digits.csv --top 3",
            "engram predict models/replay photos/ --resize",
            "engram predict models/replay digits.jsonl --json");
        return command;
    }

    private static void RequireTask(PredictingModel model, int? task)
    {
        if (model.NeedsTask && (task is null || model.Classes.IdsOfTask(task.Value).Length == 0))
            throw new UsageException($"--task: {task?.ToString(CultureInfo.InvariantCulture) ?? "none"}, expected a task that was learnt");
    }

    // Images are read as they are needed, and named; other files are read at once.
    private static IEnumerable<(torch.Tensor Samples, long First, string[]? Files)> Batches(PredictingModel model, string input, bool resize)
    {
        var (shape, type) = (model.InputShape, model.InputType);
        if (Directory.Exists(input) || ImageFile.IsImage(input))
        {
            long first = 0;
            foreach (var files in ImageFile.Find(input).Chunk(BatchSize))
            {
                yield return (Images(files, shape, type, resize), first, [.. files.Select(file => Path.GetFileName(file))]);
                first += files.Length;
            }
            yield break;
        }
        using var samples = SampleFile.Read(input, shape, type);
        for (long start = 0; start < samples.size(0); start += BatchSize)
            yield return (samples.narrow(0, start, Math.Min(BatchSize, samples.size(0) - start)), start, null);
    }

    private static torch.Tensor Images(string[] files, IReadOnlyList<long> shape, torch.ScalarType type, bool resize)
    {
        using var scope = torch.NewDisposeScope();
        return torch.cat([.. files.Select(file => ImageFile.Read(file, shape, type, resize))]).MoveToOuterDisposeScope();
    }
}
