using System.Globalization;

namespace Engram.Evaluation;

/// <summary>Says in plain sentences what the numbers of a digits run mean. Every claim is conditional on what was measured.</summary>
internal static class DigitsMeaning
{
    public static IReadOnlyList<string> Of(
        IReadOnlyList<ClassGroup> groups, IReadOnlyList<StrategyResult> strategies, DigitsOptions options)
    {
        var naive = Find(strategies, "naive");
        var joint = Find(strategies, "joint");
        var ewc = Find(strategies, "ewc");
        // Replay stands for the strategies that keep knowledge; without it, the best of those that ran.
        var keeper = Find(strategies, "replay")
            ?? strategies.Where(s => s.Name != "ewc" && !IsYardstick(s)).MaxBy(Final);
        string?[] sentences =
        [
            naive is null ? null : Forgot(naive, groups),
            keeper is null ? null : Kept(keeper, joint, groups, options),
            ewc is null ? null : HeldWeights(ewc, naive, keeper, groups),
        ];
        var said = sentences.OfType<string>().ToArray();
        return said.Length > 0 || strategies.Count == 0 ? said : [.. strategies.Take(3).Select(Reached)];
    }

    private static string Forgot(StrategyResult naive, IReadOnlyList<ClassGroup> groups)
    {
        var (first, last) = (naive.Accuracy[0][0], naive.Accuracy[^1][0]);
        var verdict = last switch
        {
            _ when last < 0.05 * first => "it forgot them almost wholly",
            _ when last < 0.5 * first => "it forgot most of them",
            _ when last < 0.95 * first => "it forgot part of them",
            _ => "it kept them",
        };
        return $"Without protection, naive training went from {Percent(first)} on the digits {groups[0].Name} to "
            + $"{Percent(last)} after learning the others: {verdict}, and ended at {Percent(Final(naive))} on all digits.";
    }

    private static string Kept(
        StrategyResult keeper, StrategyResult? joint, IReadOnlyList<ClassGroup> groups, DigitsOptions options)
    {
        var how = keeper.Name == "replay"
            ? $"Replay of {options.Capacity.ToString("N0", CultureInfo.InvariantCulture)} stored images"
            : keeper.Title;
        var (first, last) = (keeper.Accuracy[0][0], keeper.Accuracy[^1][0]);
        var verb = last < 0.5 * first ? "knew only" : "still knew";
        var sentence = $"{how} {verb} {Percent(last)} of the digits {groups[0].Name} at the end and "
            + $"reached {Percent(Final(keeper))} on all digits";
        if (joint is null) return sentence + ".";
        var gap = Final(joint) - Final(keeper);
        return sentence + $", {Points(gap)} {(gap >= 0 ? "below" : "above")} joint training ({Percent(Final(joint))}), "
            + "which trains from scratch on all data in every phase.";
    }

    private static string HeldWeights(
        StrategyResult ewc, StrategyResult? naive, StrategyResult? keeper, IReadOnlyList<ClassGroup> groups)
    {
        var sentence = $"EWC alone ended at {Percent(Final(ewc))} on all digits";
        if (naive is not null)
        {
            var gain = Final(ewc) - Final(naive);
            sentence += $", {Points(gain)} {(gain >= 0 ? "above" : "below")} naive training";
        }
        var taken = TakenForLast(ewc, groups);
        if (groups.Count > 1 && taken >= 0.5)
            return sentence + $": it took {Percent(taken)} of the earlier digits for {Or(groups[^1].Classes)}, because "
                + "holding weights does not teach it to tell apart classes that it never sees together; stored samples do.";
        var fresh = ewc.Accuracy[^1][^1];
        if (fresh < 0.5)
            return sentence + $": it held on to the old so firmly that it learnt only {Percent(fresh)} of "
                + $"{Or(groups[^1].Classes)}, because holding weights does not teach it to tell apart classes that it "
                + "never sees together.";
        return sentence + (keeper is not null && Final(keeper) > Final(ewc)
            ? $", {Points(Final(keeper) - Final(ewc))} below {keeper.Title.ToLowerInvariant()}, which sees old and new together."
            : ".");
    }

    private static string Reached(StrategyResult strategy) =>
        $"{strategy.Title} ended at {Percent(Final(strategy))} on all digits.";

    /// <summary>Share of the test samples of earlier groups that are predicted as a class of the last group.</summary>
    internal static double TakenForLast(StrategyResult strategy, IReadOnlyList<ClassGroup> groups)
    {
        var old = groups.Take(groups.Count - 1).Sum(group => group.Classes.Count);
        var (taken, all) = (0L, 0L);
        foreach (var row in strategy.Confusion.Take(old))
        {
            all += row.Sum();
            taken += row.Skip(old).Sum();
        }
        return all == 0 ? 0 : (double)taken / all;
    }

    private static bool IsYardstick(StrategyResult result) => Retention.Strategies.Named(result.Name).IsYardstick;

    private static StrategyResult? Find(IReadOnlyList<StrategyResult> strategies, string name) =>
        strategies.FirstOrDefault(strategy => strategy.Name == name);

    private static double Final(StrategyResult strategy) => strategy.AccuracySoFar[^1];

    private static string Or(IReadOnlyList<string> names) =>
        names.Count == 1 ? names[0] : $"{string.Join(", ", names.Take(names.Count - 1))} or {names[^1]}";

    private static string Percent(double fraction) =>
        (100 * fraction).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    private static string Points(double difference) =>
        (100 * Math.Abs(difference)).ToString("0.0", CultureInfo.InvariantCulture) + " points";
}
