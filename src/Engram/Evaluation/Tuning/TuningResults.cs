using System.Text.Json;
using Engram.Evaluation.Benchmarks;

namespace Engram.Evaluation.Tuning;

/// <summary>Everything a search measured, as written to <c>tuning.json</c>. Accuracies are fractions, on validation samples.</summary>
public sealed record TuningResults
{
    /// <summary>Name of the experiment.</summary>
    public required string Experiment { get; init; }

    /// <summary>Title of the strategy that was tuned.</summary>
    public required string Strategy { get; init; }

    /// <summary>How it was searched: <c>grid</c>, <c>random</c>, <c>halving</c> or <c>continual</c>.</summary>
    public required string Method { get; init; }

    /// <summary>The metric that decided.</summary>
    public required string Objective { get; init; }

    /// <summary>What was held against what, in a few words: validation share, seeds, ranges.</summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>The command that repeats the search.</summary>
    public required string Command { get; init; }

    /// <summary>Time of all measurements, each on the threads it had.</summary>
    public required double Seconds { get; init; }

    /// <summary>Machine and versions.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>What was measured: the best first among those on everything, then those on less.</summary>
    public required IReadOnlyList<TuningRow> Rows { get; init; }

    /// <summary>What the continual procedure chose for each experience; null for other methods.</summary>
    public IReadOnlyList<ContinualChoice>? Choices { get; init; }

    /// <summary>How many measurements are missing, where the search was stopped.</summary>
    public int Missing { get; init; }

    /// <summary>The chosen row; null where none was measured on everything.</summary>
    public TuningRow? Chosen => Rows.FirstOrDefault(row => row.IsChosen);

    /// <summary>The rows of a search in order.</summary>
    /// <param name="results">What was measured.</param>
    /// <param name="objective">The metric that decides; the greater, the better.</param>
    /// <param name="command">The command that measures a trial again.</param>
    public static IReadOnlyList<TuningRow> RowsOf(
        IReadOnlyCollection<TrialResult> results, string objective, Func<Trial, string> command)
    {
        ArgumentNullException.ThrowIfNull(results);
        ArgumentNullException.ThrowIfNull(command);
        var best = Search.Best(results, result => result.Mean(objective));
        return [.. results.OrderByDescending(result => result.Trial.Share)
            .ThenByDescending(result => result.Mean(objective) is var mean && double.IsNaN(mean) ? double.NegativeInfinity : mean)
            .ThenBy(result => result.Trial.Number)
            .Select(result => new TuningRow(
                result.Trial.Number, result.Trial.Share, result.Trial.Values,
                MeasuredNumber.Of([.. result.Seeds.Select(seed => seed.Metrics.GetValueOrDefault(objective, double.NaN))]),
                result.New, result.Old, result.Mean(MetricNames.Forgetting), result.Seconds, result == best, command(result.Trial),
                result.Failure))];
    }

    /// <summary>The rows of the continual procedure, attempt by attempt.</summary>
    /// <param name="choices">What it chose.</param>
    /// <param name="rate">Key of the learning rate.</param>
    /// <param name="strength">Key of the strength.</param>
    /// <param name="command">The command that repeats it.</param>
    public static IReadOnlyList<TuningRow> RowsOf(IReadOnlyList<ContinualChoice> choices, string rate, string strength, string command)
    {
        ArgumentNullException.ThrowIfNull(choices);
        return [.. choices.SelectMany(choice => choice.Attempts.Select(attempt => new TuningRow(
            attempt.Number, 1,
            new Dictionary<string, string>
            {
                ["experience"] = choice.Name,
                [rate] = Text(attempt.Rate),
                [strength] = attempt.Strength is { } held ? Text(held) : "fine-tuning",
            },
            MeasuredNumber.Of([attempt.New]), attempt.New, attempt.Old, double.NaN, attempt.Seconds, attempt == choice.Kept, command)))];
    }

    /// <summary>Writes it as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ResultsJson.Indented);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">The text.</param>
    /// <exception cref="FormatException">It is no search's results.</exception>
    public static TuningResults FromJson(string json)
    {
        var results = ResultsJson.Read<TuningResults>(json, "tuning");
        ResultsJson.CheckTexts("settings", results.Settings);
        ResultsJson.CheckTexts("environment", results.Environment);
        ResultsJson.CheckSeconds("seconds", results.Seconds);
        if (results.Rows.Count == 0) throw new FormatException("rows: none, expected what was measured");
        for (var i = 0; i < results.Rows.Count; i++) results.Rows[i].Check($"rows[{i}]");
        // The continual procedure chooses for each experience.
        if (results.Choices is null && results.Rows.Count(row => row.IsChosen) is var chosen and > 1)
            throw new FormatException($"rows: {chosen} are chosen, expected one at most");
        if (results.Missing < 0) throw new FormatException($"missing: {results.Missing}, expected 0 or more");
        return results;
    }

    private static string Text(double value) => value.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>One measurement of a search.</summary>
/// <param name="Number">Number of the trial, or of the attempt within its experience.</param>
/// <param name="Share">Share of the training samples it was measured on.</param>
/// <param name="Values">What was tried.</param>
/// <param name="Score">The objective, a fraction: mean and standard error over seeds.</param>
/// <param name="New">Accuracy on what is new.</param>
/// <param name="Old">Accuracy on what is old; NaN where there is nothing old.</param>
/// <param name="Forgetting">Mean drop of earlier experiences; NaN where not measured.</param>
/// <param name="Seconds">Time it took.</param>
/// <param name="IsChosen">Whether it was chosen.</param>
/// <param name="Command">The command that measures it again.</param>
/// <param name="Failure">Why it came to nothing; null where it was measured.</param>
public sealed record TuningRow(
    int Number, double Share, IReadOnlyDictionary<string, string> Values, MeasuredNumber Score, double New, double Old,
    double Forgetting, double Seconds, bool IsChosen, string Command, string? Failure = null)
{
    /// <summary>Checks what was read.</summary>
    /// <exception cref="FormatException">A number is not possible; the message names the field.</exception>
    internal void Check(string where)
    {
        ResultsJson.CheckTexts($"{where}.values", Values);
        ResultsJson.CheckFractions($"{where}.share", Share);
        ResultsJson.CheckFractions($"{where}.score.mean", Score.Mean);
        Score.CheckSem($"{where}.score");
        ResultsJson.CheckFractions($"{where}.new", New);
        ResultsJson.CheckFractions($"{where}.old", Old);
        ResultsJson.CheckSeconds($"{where}.seconds", Seconds);
    }
}
