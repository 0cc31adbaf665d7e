using System.Text.RegularExpressions;
using Engram.Client;
using Engram.Server.Inputs;

namespace Engram.Server.Specifications;

/// <summary>Checks every field of a specification before anything is made of it.</summary>
internal static partial class SpecificationCheck
{
    private const int MostWidth = 1 << 20;

    /// <exception cref="SpecificationException">A field is wrong; the message names it, its value, and what is expected.</exception>
    public static void Throw(LearnerSpecification specification, string encoders)
    {
        NotNull("name", specification.Name);
        if (!Name().IsMatch(specification.Name))
            throw Wrong("name", Short(specification.Name), "1 to 64 of a-z, 0-9, '-' and '_', beginning with a letter or digit");
        NotNull("description", specification.Description);
        Between("description", specification.Description.Length, 0, 10_000, "characters");
        NotNull("input", specification.Input);
        NotNull("model", specification.Model);
        NotNull("learning", specification.Learning);
        NotNull("gate", specification.Gate);
        NotNull("retention", specification.Retention);
        InputCheck.Throw(specification.Input);
        int width;
        using (var encoder = InputEncoder.For(specification.Input, encoders)) width = encoder.Width;
        Between("input", width, 1, MostWidth, "numbers in one sample");
        ModelCheck.Throw(specification.Model, specification.Input, width);
        Learning(specification.Learning);
        Gate(specification.Gate);
        Retention(specification.Retention);
        Between("seed", specification.Seed, 0, int.MaxValue);
    }

    private static void Learning(LearningPolicy learning)
    {
        Between("learning.everySamples", learning.EverySamples, 0, 1_000_000);
        Between("learning.everySeconds", learning.EverySeconds, 0, 31_536_000);
        if (learning.CpuShare is not (>= 0.01 and <= 1)) throw Wrong("learning.cpuShare", learning.CpuShare, "0.01 to 1");
        Between("learning.holdOut", learning.HoldOut, 0, 0.5);
        Between("learning.maxSamples", learning.MaxSamples, 1, 1_000_000);
    }

    private static void Gate(GateSpecification gate)
    {
        if (!Enum.IsDefined(gate.Mode)) throw Wrong("gate.mode", gate.Mode, "automatic, staged or observe");
        Between("gate.minAccuracy", gate.MinAccuracy, 0, 1);
        Between("gate.maxAccuracyDrop", gate.MaxAccuracyDrop, 0, 1);
        Between("gate.maxClassDrop", gate.MaxClassDrop, 0, 1);
        Between("gate.minClassSamples", gate.MinClassSamples, 1, 100_000);
        Between("gate.maxCalibrationError", gate.MaxCalibrationError, 0, 1);
        Between("gate.maxLatencyMs", gate.MaxLatencyMs, 0, 60_000);
        Between("gate.shadowPredictions", gate.ShadowPredictions, 0, 10_000_000);
        Between("gate.canaryPercent", gate.CanaryPercent, 0, 100);
        Between("gate.canarySamples", gate.CanarySamples, 1, 1_000_000);
        if (gate.TrialHours is not (> 0 and <= 8760)) throw Wrong("gate.trialHours", gate.TrialHours, "above 0 to 8760");
        Between("gate.stepBackDrop", gate.StepBackDrop, 0, 1);
    }

    private static void Retention(RetentionPolicy retention)
    {
        if (retention.PredictionHours is not (> 0 and <= 87_600)) throw Wrong("retention.predictionHours", retention.PredictionHours, "above 0 to 87600");
        Between("retention.maxPredictions", retention.MaxPredictions, 1, 1_000_000_000);
        if (retention.FeedbackDays is { } days && days is not (> 0 and <= 36_500))
            throw Wrong("retention.feedbackDays", days, "above 0 to 36500, or null");
        Between("retention.versions", retention.Versions, 1, 10_000);
    }

    internal static void Between<T>(string field, T value, T least, T most, string? what = null)
        where T : struct, IComparable<T>
    {
        // NaN compares as less than everything.
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
            throw Wrong(field, value, $"{Text(least)} to {Text(most)}{(what is null ? "" : " " + what)}");
    }

    internal static void NotNull(string field, object? value)
    {
        if (value is null) throw Wrong(field, "null", "a value");
    }

    internal static SpecificationException Wrong(string field, object value, string expected) =>
        new(field, $"{field}: {Text(value)}, expected {expected}");

    internal static string Short(string text) => text.Length <= 80 ? text : text[..77] + "...";

    private static string Text(object value) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{value}");

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9_-]{0,63}\z")]
    private static partial Regex Name();
}
