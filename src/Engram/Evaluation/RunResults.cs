using System.Text.Json;
using System.Text.Json.Serialization;

namespace Engram.Evaluation;

/// <summary>Everything one run measured, as written to <c>results.json</c> (schema: docs/results.md).</summary>
/// <remarks>All accuracies are fractions from 0 to 1; all times are seconds; all sizes are bytes.</remarks>
public sealed record RunResults
{
    /// <summary>The schema version this build writes.</summary>
    public const int CurrentSchemaVersion = 1;

    private static readonly JsonSerializerOptions s_written = new(ResultsJson.Indented) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>Version of this schema; readers refuse a newer one.</summary>
    public required int SchemaVersion { get; init; }

    /// <summary>Name of the experiment, for example <c>digits</c>.</summary>
    public required string Experiment { get; init; }

    /// <summary>When the run began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>Wall-clock time of the whole run.</summary>
    public required double Seconds { get; init; }

    /// <summary>The command that reproduces this run.</summary>
    public required string Command { get; init; }

    /// <summary>Settings in the order a reader wants them: name and value.</summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>Machine and versions: name and value.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>The groups of classes in the order they were learnt, one per experience.</summary>
    public required IReadOnlyList<ClassGroup> Groups { get; init; }

    /// <summary>One result per strategy, in the order they ran.</summary>
    public required IReadOnlyList<StrategyResult> Strategies { get; init; }

    /// <summary>What the result means, in plain sentences.</summary>
    public required IReadOnlyList<string> Meaning { get; init; }

    /// <summary>Names of the strategies that an interruption kept from their end; null when all ended.</summary>
    public IReadOnlyList<string>? Unfinished { get; init; }

    /// <summary>
    /// Names of the metrics (<see cref="MetricNames"/>) that summaries show for each strategy, in order; null for accuracy at the end,
    /// in all and by group, and forgetting.
    /// </summary>
    public IReadOnlyList<string>? SummaryMetrics { get; init; }

    /// <summary>Writes this record as indented JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, s_written);

    /// <summary>Reads a record written by <see cref="ToJson"/>.</summary>
    /// <param name="json">The text of a results file.</param>
    /// <exception cref="FormatException">The text is no results file, is of a newer schema, or holds what no run can have; the message names the field.</exception>
    public static RunResults FromJson(string json)
    {
        // The version comes first: a newer schema may well lack fields that this one requires.
        var results = ResultsJson.Read<RunResults>(json, "results", CheckVersion);
        ResultsJson.CheckTexts("settings", results.Settings);
        ResultsJson.CheckTexts("environment", results.Environment);
        ResultsJson.CheckSeconds("seconds", results.Seconds);
        if (results.Groups.Count == 0) throw new FormatException("groups: none, expected one for each experience");
        for (var i = 0; i < results.Strategies.Count; i++)
        {
            var strategy = results.Strategies[i];
            strategy.Check($"strategies[{i}]");
            if (strategy.Accuracy.Max(row => row.Length) is var measured && measured > results.Groups.Count)
                throw new FormatException($"groups: {results.Groups.Count}, expected {measured} or more, as strategies[{i}].accuracy has");
            if (results.Strategies.Take(i).Any(other => other.Name == strategy.Name))
                throw new FormatException($"strategies[{i}].name: {strategy.Name} is there already, expected each strategy once");
        }
        return results;
    }

    private static void CheckVersion(JsonElement root)
    {
        if (!root.TryGetProperty("schemaVersion", out var version))
            throw new FormatException("schemaVersion: missing, so this is no results file");
        if (version.ValueKind != JsonValueKind.Number || !version.TryGetInt32(out var number)
            || number is < 1 or > CurrentSchemaVersion)
            throw new FormatException(
                $"schemaVersion: {version.GetRawText()} is not known here, expected 1 to {CurrentSchemaVersion}");
    }
}

/// <summary>The classes that one experience brought.</summary>
/// <param name="Name">What to call the group in tables and plots, for example <c>0-4</c>.</param>
/// <param name="Classes">Labels of the group, in order of class id.</param>
public sealed record ClassGroup(string Name, IReadOnlyList<string> Classes);

/// <summary>What one strategy reached on one stream.</summary>
public sealed record StrategyResult
{
    /// <summary>Name used on the command line, for example <c>replay</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Name used in tables and plots, for example <c>Replay (1,000)</c>.</summary>
    public required string Title { get; init; }

    /// <summary>R[i][j]: accuracy on group j after learning group i; defined for j ≤ i.</summary>
    public required double[][] Accuracy { get; init; }

    /// <summary>R[i][i + 1]: accuracy on the next group before it is learnt; null where it was not measured.</summary>
    public double[]? Ahead { get; init; }

    /// <summary>b_j: accuracy of an untrained model on group j; null where it was not measured.</summary>
    public double[]? Untrained { get; init; }

    /// <summary>When each row of <see cref="Accuracy"/> was measured; not part of the file, empty where nobody looked at the clock.</summary>
    [JsonIgnore]
    public IReadOnlyList<DateTimeOffset> MeasuredAt { get; init; } = [];

    /// <summary>Accuracy over the test samples of all classes so far, after each experience.</summary>
    public required double[] AccuracySoFar { get; init; }

    /// <summary>[experience][class id]: accuracy on each class known by then.</summary>
    public required double[][] AccuracyPerClass { get; init; }

    /// <summary>[true class][predicted class] counts over the test samples of all classes, after the last experience.</summary>
    public required int[][] Confusion { get; init; }

    /// <summary>Metrics by name, see <see cref="MetricNames"/> (formulas: docs/results.md).</summary>
    /// <remarks>
    /// Most follow from <see cref="Accuracy"/>, as <see cref="AccuracyMatrix"/> has them; macro F1 follows from <see cref="Confusion"/>,
    /// anytime accuracy from accuracy so far and samples learnt. Calibration error and Brier score come from the probabilities of the
    /// last tests, prequential accuracy from predictions before learning: no other field has what they are made of.
    /// </remarks>
    public required IReadOnlyDictionary<string, double> Metrics { get; init; }

    /// <summary>Cost of each experience.</summary>
    public required IReadOnlyList<ExperienceCost> Costs { get; init; }

    /// <summary>Bytes the retention mechanisms hold at the end (samples, anchors, importances).</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>What it cost in all; null in files of versions before 0.2.</summary>
    public StrategyCost? Cost { get; init; }

    /// <summary>Reads one strategy's result from JSON.</summary>
    /// <param name="json">The text.</param>
    /// <exception cref="FormatException">It is none, or its numbers do not fit together; the message names the field.</exception>
    public static StrategyResult FromJson(string json)
    {
        var read = ResultsJson.Read<StrategyResult>(json, "result", isPart: true);
        read.Check("result");
        return read;
    }

    /// <summary>Checks what was read: whether the numbers are possible and fit together.</summary>
    /// <param name="where">Where it was read, for messages.</param>
    /// <exception cref="FormatException">They do not; the message names the field.</exception>
    internal void Check(string where)
    {
        var experiences = Accuracy.Length;
        if (experiences == 0) throw new FormatException($"{where}.accuracy: empty, expected a row for each experience");
        for (var row = 0; row < experiences; row++)
        {
            if (Accuracy[row].Length <= row) throw new FormatException($"{where}.accuracy[{row}]: {Accuracy[row].Length} numbers, expected {row + 1} or more");
            ResultsJson.CheckFractions($"{where}.accuracy[{row}]", Accuracy[row]);
        }
        ResultsJson.CheckCount($"{where}.accuracySoFar", AccuracySoFar.Length, experiences, "experience");
        ResultsJson.CheckCount($"{where}.accuracyPerClass", AccuracyPerClass.Length, experiences, "experience");
        ResultsJson.CheckCount($"{where}.costs", Costs.Count, experiences, "experience");
        ResultsJson.CheckFractions($"{where}.accuracySoFar", AccuracySoFar);
        for (var row = 0; row < experiences; row++) ResultsJson.CheckFractions($"{where}.accuracyPerClass[{row}]", AccuracyPerClass[row]);
        ResultsJson.CheckFractions($"{where}.ahead", Ahead ?? []);
        ResultsJson.CheckFractions($"{where}.untrained", Untrained ?? []);
        ResultsJson.CheckCount($"{where}.confusion", Confusion.Length, AccuracyPerClass[^1].Length, "class");
        for (var row = 0; row < Confusion.Length; row++)
        {
            ResultsJson.CheckCount($"{where}.confusion[{row}]", Confusion[row].Length, Confusion.Length, "class");
            if (Confusion[row].Any(count => count < 0)) throw new FormatException($"{where}.confusion[{row}]: {Confusion[row].Min()}, expected counts of samples");
        }
        if (Costs.FirstOrDefault(cost => cost.Samples < 0 || cost.TrainSeconds < 0 || cost.EvaluationSeconds < 0) is { } gained)
            throw new FormatException($"{where}.costs: {gained}, expected no negative number");
        if (MemoryBytes < 0) throw new FormatException($"{where}.memoryBytes: {MemoryBytes}, expected 0 or more");
        CheckMetrics($"{where}.metrics");
    }

    private void CheckMetrics(string where)
    {
        if (MetricNames.Always.FirstOrDefault(name => !Metrics.ContainsKey(name)) is { } missing)
            throw new FormatException($"{where}.{missing}: missing, expected a number");
        foreach (var (name, value) in Metrics)
            if (MetricNames.RangeOf(name) is var (least, most) && (value < least - ResultsJson.Rounding || value > most + ResultsJson.Rounding))
                throw new FormatException($"{where}.{name}: {value}, expected {least} to {most}");
    }
}

/// <summary>What learning one experience cost.</summary>
/// <param name="Samples">New samples passed through training, replayed ones not counted.</param>
/// <param name="TrainSeconds">Training time, with the work mechanisms do before and after.</param>
/// <param name="EvaluationSeconds">Time to test.</param>
/// <param name="FinalLoss">Mean training loss over the last epoch.</param>
public sealed record ExperienceCost(long Samples, double TrainSeconds, double EvaluationSeconds, double FinalLoss);
