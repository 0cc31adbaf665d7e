using System.Globalization;
using System.Text.Json.Nodes;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Persistence;
using Engram.Streams;

namespace Engram.Cli.Commands;

/// <summary>Keeps what a strategy has learnt beside its report.</summary>
internal static class LearntModel
{
    private const int MostNames = 20;

    /// <summary>Where a strategy's bundle is.</summary>
    public static string PathOf(string folder, string strategy) => Path.GetFullPath(Path.Combine(folder, "models", strategy));

    /// <summary>Saves a learner as a bundle below the folder of the run.</summary>
    /// <returns>The path of the bundle.</returns>
    public static string Save(
        string folder, ExperimentDescription experiment, ExperienceStream stream, StrategyResult result, Learner learner, DateTimeOffset now)
    {
        var path = PathOf(folder, result.Name);
        Bundle.Save(learner, path, new BundleInfo
        {
            Data = DataOf(experiment, stream),
            Settings = new JsonObject(experiment.Settings.Select(setting => KeyValuePair.Create(setting.Key, (JsonNode?)setting.Value))),
            Metrics = result.Metrics,
            Saved = now,
            History = [.. stream.Tests.Select((test, place) => new LearntPart(
                test.Name, result.MeasuredAt.Count > place ? result.MeasuredAt[place] : null, At(result, place, place),
                At(result, result.Accuracy.Length - 1, place)))],
        });
        return path;
    }

    private static string DataOf(ExperimentDescription experiment, ExperienceStream stream)
    {
        var count = stream.Experiences.Count;
        return string.Create(CultureInfo.InvariantCulture,
            $"{experiment.Name}: {count} experience(s), {string.Join("; ", stream.Experiences.Take(MostNames).Select(one => one.Name))}{(count > MostNames ? "; ..." : "")}");
    }

    private static double? At(StrategyResult result, int row, int column) =>
        row >= 0 && row < result.Accuracy.Length && column < result.Accuracy[row].Length ? result.Accuracy[row][column] : null;
}
