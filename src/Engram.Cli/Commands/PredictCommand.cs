using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Engram.Cli.Images;
using Engram.Data;
using TorchSharp;

namespace Engram.Cli.Commands;

/// <summary><c>engram predict</c>: labels for the samples of a file, by the model of a bundle.</summary>
internal static class PredictCommand
{
    private const int BatchSize = 256;

    private static readonly JsonSerializerOptions s_json = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static Command Build(CliHost host)
    {
        var bundle = new Argument<string>("bundle") { Description = "Folder of the bundle.", HelpName = "BUNDLE" };
        var input = new Argument<string>("input")
        {
            Description = "Samples: a PNG or JPEG image or a folder of them, idx images (.gz too), CSV with one sample per line, or JSON lines of number arrays.",
            HelpName = "INPUT",
        };
        var task = OptionOf.Number("--task", "The task of the samples, for a model that learnt tasks apart.", null, 0, int.MaxValue);
        var top = OptionOf.Number("--top", "How many of the best labels to show, with their probabilities.", 1, 1, 1000);
        var resize = OptionOf.Switch("--resize", "Scale images to the model's height and width instead of refusing others.");
        var json = OptionOf.Switch("--json", "Write one JSON object per sample to standard output.");
        var command = new Command("predict", "Predict the labels of samples in a file with the model of a bundle.")
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
            foreach (var (samples, first, files) in Batches(model, parsed.GetValue(input)!, parsed.GetValue(resize)))
            {
                host.CancellationToken.ThrowIfCancellationRequested();
                using var _ = samples;
                Predict(host, model, samples, first, files, chosen, (int)parsed.GetValue(top), parsed.GetValue(json));
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
        for (long start = 0; start < samples.shape[0]; start += BatchSize)
            yield return (samples.narrow(0, start, Math.Min(BatchSize, samples.shape[0] - start)), start, null);
    }

    private static torch.Tensor Images(string[] files, IReadOnlyList<long> shape, torch.ScalarType type, bool resize)
    {
        using var scope = torch.NewDisposeScope();
        return torch.cat([.. files.Select(file => ImageFile.Read(file, shape, type, resize))]).MoveToOuterDisposeScope();
    }

    private static void Predict(
        CliHost host, PredictingModel model, torch.Tensor samples, long first, string[]? files, int? task, int top, bool json)
    {
        using var scope = torch.NewDisposeScope();
        using var prediction = model.Predict(samples, model.NeedsTask ? task : null);
        var (values, ids) = prediction.Probabilities().topk((int)Math.Min(top, prediction.Scores.shape[1]), 1);
        var (probabilities, classes) = (values.data<float>().ToArray(), ids.data<long>().ToArray());
        var each = classes.Length / (int)prediction.Scores.shape[0];
        for (var row = 0; row < prediction.Scores.shape[0]; row++)
        {
            var best = Enumerable.Range(row * each, each).Select(
                place => (Label: model.Classes.LabelOf((int)classes[place]).Name, Probability: probabilities[place])).ToArray();
            host.Out.WriteLine(json ? Json(first + row, files?[row], best) : Plain(first + row, files?[row], best));
        }
    }

    private static string Plain(long index, string? file, (string Label, float Probability)[] best) =>
        $"{file ?? index.ToString(CultureInfo.InvariantCulture)}\t" + string.Join('\t', best.Select(b =>
            $"{b.Label}\t{b.Probability.ToString("0.0000", CultureInfo.InvariantCulture)}"));

    private static string Json(long index, string? file, (string Label, float Probability)[] best) => JsonSerializer.Serialize(new
    {
        index,
        file,
        label = best[0].Label,
        probability = best[0].Probability,
        top = best.Select(b => new { label = b.Label, probability = b.Probability }),
    }, s_json);
}
