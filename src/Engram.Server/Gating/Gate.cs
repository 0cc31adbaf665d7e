using System.Globalization;
using Engram.Client;

namespace Engram.Server.Gating;

/// <summary>Judges an examination by what the specification asks for.</summary>
internal static class Gate
{
    /// <summary>Every condition, with what was measured.</summary>
    public static IReadOnlyList<GateCheck> Judge(GateSpecification gate, Examination seen) =>
        [Accuracy(gate, seen), Retention(gate, seen), Examples(seen), Calibration(gate, seen), Latency(gate, seen)];

    private static GateCheck Accuracy(GateSpecification gate, Examination seen)
    {
        if (seen.Accuracy is not { } accuracy)
            return new GateCheck("accuracy", gate.MinAccuracy == 0, $"nothing of the classes known is held out{(gate.MinAccuracy == 0 ? "" : $", expected {Percent(gate.MinAccuracy)} or more on some")}");
        var measured = $"{Percent(accuracy)} of {seen.Count} held-out samples right";
        if (accuracy < gate.MinAccuracy) return new GateCheck("accuracy", false, $"{measured}, expected {Percent(gate.MinAccuracy)} or more");
        if (seen.AccuracyBefore is not { } before) return new GateCheck("accuracy", true, $"{measured}; no version before");
        var passed = !seen.Total.Exceeds(gate.MaxAccuracyDrop);
        return new GateCheck("accuracy", passed, $"{measured}, before {Percent(before)}{(passed ? "" : $", expected a fall of at most {Percent(gate.MaxAccuracyDrop)}")}");
    }

    private static GateCheck Retention(GateSpecification gate, Examination seen)
    {
        var judged = seen.Classes.Where(one => one.RightBefore is > 0 && one.Samples >= gate.MinClassSamples).ToArray();
        var fallen = judged.Where(one => one.Drop.Exceeds(gate.MaxClassDrop, judged.Length)).ToArray();
        return fallen.Length == 0
            ? new GateCheck("retention", true, $"{judged.Length} known classes with {gate.MinClassSamples} held-out samples or more kept")
            : new GateCheck("retention", false, string.Join("; ", fallen.Select(one =>
                $"{one.Label}: {one.Right} of {one.Samples} right, before {one.RightBefore}")) + $", expected a fall of at most {Percent(gate.MaxClassDrop)}");
    }

    // An example that the published version has wrong too was not lost by the candidate.
    private static GateCheck Examples(Examination seen) => seen.Lost.Count == 0
        ? new GateCheck("examples", true, $"{seen.PinnedRight} of {seen.Pinned} pinned examples right, none lost")
        : new GateCheck("examples", false, $"lost {string.Join(", ", seen.Lost)}, expected no pinned example that was right to be wrong");

    private static GateCheck Calibration(GateSpecification gate, Examination seen)
    {
        if (seen.CalibrationError is not { } error)
            return new GateCheck("calibration", gate.MaxCalibrationError >= 1, "too few samples held out to measure");
        var passed = error <= gate.MaxCalibrationError;
        return new GateCheck("calibration", passed, string.Create(
            CultureInfo.InvariantCulture, $"expected calibration error {error:0.000}{(passed ? "" : $", expected at most {gate.MaxCalibrationError:0.000}")}"));
    }

    private static GateCheck Latency(GateSpecification gate, Examination seen)
    {
        if (seen.LatencyMs is not { } took) return new GateCheck("latency", true, "nothing held out to ask");
        var passed = gate.MaxLatencyMs == 0 || took <= gate.MaxLatencyMs;
        return new GateCheck("latency", passed, string.Create(
            CultureInfo.InvariantCulture, $"median {took:0.00} ms a prediction{(passed ? "" : $", expected at most {gate.MaxLatencyMs:0.00}")}"));
    }

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.0} %");
}
