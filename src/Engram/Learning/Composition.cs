using Engram.Retention;

namespace Engram.Learning;

/// <summary>Which mechanisms go together.</summary>
internal static class Composition
{
    private static readonly (Seams Seam, string What)[] s_exclusive =
    [
        (Seams.Loss, "replace the classification loss"),
        (Seams.Prediction, "replace prediction"),
        (Seams.TrainingData, "choose the training data"),
        (Seams.Forward, "change the forward pass"),
    ];

    public static void Check(IReadOnlyList<RetentionMechanism> mechanisms, LearnerOptions options)
    {
        foreach (var (seam, what) in s_exclusive)
        {
            var rivals = mechanisms.Where(mechanism => mechanism.Seams.HasFlag(seam)).Select(m => m.Name).ToArray();
            if (rivals.Length > 1)
                throw new ArgumentException(
                    $"mechanisms: {string.Join(" and ", rivals)} both {what}, expected at most one that does");
        }
        if (mechanisms.FirstOrDefault(m => m.Seams.HasFlag(Seams.Forward)) is { } byTask
            && mechanisms.FirstOrDefault(m => m.MixesTasks) is { } mixing)
            throw new ArgumentException(
                $"mechanisms: {byTask.Name} changes the forward pass by task and {mixing.Name} mixes tasks in one pass, "
                + "expected only one of them");
        foreach (var twice in mechanisms.GroupBy(mechanism => mechanism.Name).Where(group => group.Count() > 1))
            throw new ArgumentException($"mechanisms: {twice.Key} occurs {twice.Count()} times, expected once");
        CheckOrder(mechanisms);
        foreach (var mechanism in mechanisms)
            foreach (var other in mechanisms)
                if (mechanism != other && mechanism.WhyNotBeside(other) is { } reason)
                    throw new ArgumentException($"mechanisms: {mechanism.Name} {reason}");
        foreach (var mechanism in mechanisms)
            if (mechanism.WhyNot(options) is { } reason)
                throw new ArgumentException($"mechanisms: {mechanism.Name} {reason}");
    }

    // A penalty that has been added would count as loss.
    private static void CheckOrder(IReadOnlyList<RetentionMechanism> mechanisms)
    {
        for (var i = 1; i < mechanisms.Count; i++)
            if (mechanisms[i].ReadsLossGradient
                && mechanisms.Take(i).FirstOrDefault(earlier => earlier.Seams.HasFlag(Seams.Gradient)) is { } penalty)
                throw new ArgumentException(
                    $"mechanisms: {mechanisms[i].Name} reads the gradient of the loss, to which {penalty.Name} adds, "
                    + (penalty.ReadsLossGradient ? "expected only one of them" : $"expected {mechanisms[i].Name} before {penalty.Name}"));
    }
}
