using Engram.Evaluation;

namespace Engram.Tests.Evaluation;

public class DigitsMeaningTests
{
    private static readonly ClassGroup[] s_groups = [new("0-1", ["0", "1"]), new("2-3", ["2", "3"])];

    [Fact]
    public void The_default_strategies_give_three_sentences_and_Ewcs_weakness_is_said_in_plain_words()
    {
        var said = Say(
            Result("naive", 0.99, 0.0, 0.49, taken: 100), Result("ewc", 0.99, 0.1, 0.54, taken: 90),
            Result("replay", 0.99, 0.95, 0.96, taken: 4), Result("joint", 0.99, 0.98, 0.98, taken: 2));

        Assert.Equal(3, said.Count);
        Assert.Contains("forgot them almost wholly", said[0], StringComparison.Ordinal);
        Assert.Contains("still knew 95.0 %", said[1], StringComparison.Ordinal);
        Assert.Contains("2.0 points below joint training", said[1], StringComparison.Ordinal);
        Assert.Contains("took 90.0 % of the earlier digits for 2 or 3", said[2], StringComparison.Ordinal);
        Assert.Contains("never sees together", said[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Ewc_that_holds_too_firmly_is_said_to_learn_little()
    {
        var said = Say(Result("ewc", 0.99, 0.97, 0.53, taken: 1, fresh: 0.1));
        Assert.Contains("learnt only 10.0 % of 2 or 3", Assert.Single(said), StringComparison.Ordinal);
    }

    [Fact]
    public void Ewc_that_does_neither_is_compared_with_what_keeps_samples()
    {
        var said = Say(Result("ewc", 0.99, 0.7, 0.8, taken: 20), Result("replay", 0.99, 0.95, 0.96, taken: 4));
        Assert.Contains("16.0 points below replay", said[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_strategy_that_lost_the_first_digits_is_not_said_to_know_them_still()
    {
        var said = Say(Result("naive", 0.99, 0.0, 0.49, taken: 100), Result("si", 0.99, 0.0, 0.49, taken: 100));
        Assert.Contains("knew only 0.0 %", said[1], StringComparison.Ordinal);
        Assert.DoesNotContain("still knew", said[1], StringComparison.Ordinal);
    }

    private static IReadOnlyList<string> Say(params StrategyResult[] results) =>
        DigitsMeaning.Of(s_groups, results, new DigitsOptions());

    // Of 100 test samples of the first group, `taken` are predicted as class 2.
    private static StrategyResult Result(
        string name, double first, double last, double final, int taken, double fresh = 0.99) => new()
        {
            Name = name,
            Title = name,
            Accuracy = [[first], [last, fresh]],
            AccuracySoFar = [first, final],
            AccuracyPerClass = [[first, first], [last, last, fresh, fresh]],
            Confusion = [[50 - (taken / 2), 0, taken / 2, 0], [0, 50 - (taken - (taken / 2)), taken - (taken / 2), 0], [0, 0, 50, 0], [0, 0, 0, 50]],
            Metrics = new Dictionary<string, double>(),
            Costs = [],
            MemoryBytes = 0,
        };
}
