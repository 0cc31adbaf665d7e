using System.Globalization;
using Engram.Evaluation;
using Engram.Learning;

namespace Engram.Cli.Progress;

/// <summary>Numbers as people read them, the same in every culture.</summary>
internal static class Words
{
    public static string Percent(double fraction) =>
        double.IsFinite(fraction) ? (100 * fraction).ToString("0.0", CultureInfo.InvariantCulture) + " %" : "-";

    public static string Time(double seconds) => seconds < 60
        ? seconds.ToString(seconds < 10 ? "0.0" : "0", CultureInfo.InvariantCulture) + " s"
        : Time(TimeSpan.FromSeconds(seconds));

    public static string Time(TimeSpan time) => time.TotalHours >= 1
        ? time.ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture)
        : time.ToString(@"m\:ss", CultureInfo.InvariantCulture);

    public static string Number(double number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Where training stands: epoch, batch, rate, loss.</summary>
    public static string Of(LearningProgress learning) =>
        learning.Activity != "training"
            ? learning.Activity
            : $"epoch {learning.Epoch}/{learning.Epochs}, batch {Number(learning.Step)}/{Number(learning.Steps)}, "
                + $"{Number(learning.SamplesPerSecond)} samples/s"
                + (double.IsFinite(learning.Loss)
                    ? ", loss " + learning.Loss.ToString("0.000", CultureInfo.InvariantCulture)
                    : "");

    /// <summary>What a strategy had reached before the run was stopped.</summary>
    public static string Restored(ExperimentProgress progress) =>
        $"had ended before: all {Percent(progress.Result!.AccuracySoFar[^1])}";

    /// <summary>What the tests showed after a phase.</summary>
    public static string Of(ExperimentProgress phase)
    {
        var measured = phase.Measured!;
        var words = $"all so far {Percent(measured.AccuracySoFar)}";
        foreach (var (name, accuracy) in phase.EarlierPhases.Zip(measured.Accuracy)) words += $"; {name} {Percent(accuracy)}";
        if (phase.Phase > 0) words += $"; forgot {Percent(measured.Forgetting)}";
        return words + $"; {Time(measured.Cost.TrainSeconds + measured.Cost.EvaluationSeconds)}";
    }
}
