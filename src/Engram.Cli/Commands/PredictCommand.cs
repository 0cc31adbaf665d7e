using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Engram.Data;
using Engram.Persistence;
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
            Description = "Samples: idx images (.gz too), CSV with one sample per line, or JSON lines of number arrays.",
            HelpName = "INPUT",
        };
        var task = OptionOf.Number("--task", "The task of the samples, for a model that learnt tasks apart.", null, 0, int.MaxValue);
        var top = OptionOf.Number("--top", "How many of the best labels to show, with their probabilities.", 1, 1, 1000);
        var json = OptionOf.Switch("--json", "Write one JSON object per sample to standard output.");
        var command = new Command("predict", "Predict the labels of samples in a file with the model of a bundle.")
        {
            bundle, input, task, top, json, ErrorPolicy.Verbose(),
        };
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(bundle)!;
            InspectCommand.RequireFolder(path);
            using var model = Bundle.LoadModel(path);
            var chosen = parsed.GetResult(task) is { Implicit: false } ? (int?)parsed.GetValue(task) : null;
            Predict(host, model, parsed.GetValue(input)!, chosen, (int)parsed.GetValue(top), parsed.GetValue(json));
            return ExitCode.Success;
        });
        Examples.Of(command,
            "engram predict models/replay data/mnist/t10k-images-idx3-ubyte.gz",
            "engram predict models/replay digits.csv --top 3",
            "engram predict models/replay digits.jsonl --json");
        return command;
    }

    private static void Predict(CliHost host, LoadedModel model, string input, int? task, int top, bool json)
    {
        if (model.InputShape is not { } shape || model.Manifest.Learner.InputType is not { } type)
            throw new FailureException("bundle: has learnt nothing, expected a model that knows a class");
        if (model.NeedsTask && (task is null || model.Classes.IdsOfTask(task.Value).Length == 0))
            throw new UsageException($"--task: {task?.ToString(CultureInfo.InvariantCulture) ?? "none"}, expected a task that was learnt");
        using var samples = SampleFile.Read(input, shape, type);
        for (long start = 0; start < samples.shape[0]; start += BatchSize)
        {
            host.CancellationToken.ThrowIfCancellationRequested();
            using var scope = torch.NewDisposeScope();
            using var prediction = model.Predict(
                samples.narrow(0, start, Math.Min(BatchSize, samples.shape[0] - start)), model.NeedsTask ? task : null);
            var (values, ids) = prediction.Probabilities().topk((int)Math.Min(top, model.Classes.Count), 1);
            var (probabilities, classes) = (values.data<float>().ToArray(), ids.data<long>().ToArray());
            var each = classes.Length / (int)prediction.Scores.shape[0];
            for (var row = 0; row < prediction.Scores.shape[0]; row++)
            {
                var best = Enumerable.Range(row * each, each).Select(
                    place => (Label: model.Classes.LabelOf((int)classes[place]).Name, Probability: probabilities[place])).ToArray();
                host.Out.WriteLine(json ? Json(start + row, best) : Plain(start + row, best));
            }
        }
    }

    private static string Plain(long index, (string Label, float Probability)[] best) =>
        $"{index}\t" + string.Join('\t', best.Select(b =>
            $"{b.Label}\t{b.Probability.ToString("0.0000", CultureInfo.InvariantCulture)}"));

    private static string Json(long index, (string Label, float Probability)[] best) => JsonSerializer.Serialize(new
    {
        index,
        label = best[0].Label,
        probability = best[0].Probability,
        top = best.Select(b => new { label = b.Label, probability = b.Probability }),
    });
}
