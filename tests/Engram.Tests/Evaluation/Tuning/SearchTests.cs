using Engram.Evaluation.Tuning;

namespace Engram.Tests.Evaluation.Tuning;

public class SearchTests
{
    private static readonly SearchDimension s_rate = SearchDimension.Range("rate", 1e-4, 1e-1);
    private static readonly SearchDimension s_memory = SearchDimension.Range("memory", 10, 1000, whole: true);
    private static readonly SearchDimension s_kind = SearchDimension.Of("kind", "adam", "sgd");

    [Fact]
    public void A_grid_has_every_combination_once_and_ranges_are_even_on_their_scale()
    {
        var search = new GridSearch([s_kind, s_rate], points: 4);
        var trials = search.Next(Scores());
        Assert.Equal(["0.0001", "0.001", "0.01", "0.1"], trials.Take(4).Select(trial => trial.Values["rate"]));
        Assert.Equal(8, trials.Select(trial => trial.Text).Distinct().Count());
        Assert.Equal(["10", "32", "100", "316", "1000"], s_memory.Points(5));
        Assert.Equal(["1", "1.5", "2"], SearchDimension.Range("x", 1, 2, logarithmic: false).Points(3));
        Assert.Equal(7, search.Next(Scores((3, 1, 0.5))).Count);
    }

    [Fact]
    public void Random_settings_are_log_uniform_the_same_for_a_seed_and_never_repeated()
    {
        var trials = new RandomSearch([s_rate], 400, seed: 1).Next(Scores());
        var rates = trials.Select(trial => double.Parse(trial.Values["rate"], System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        Assert.All(rates, rate => Assert.InRange(rate, 1e-4, 1e-1));
        foreach (var decade in new[] { 1e-4, 1e-3, 1e-2 }) // a third each; 4 standard deviations of a binomial of 400
            Assert.InRange(rates.Count(rate => rate >= decade && rate < 10 * decade), 95, 172);
        Assert.Equal(trials.Select(trial => trial.Text), new RandomSearch([s_rate], 400, seed: 1).Next(Scores()).Select(trial => trial.Text));
        Assert.NotEqual(trials[0].Text, new RandomSearch([s_rate], 400, seed: 2).Next(Scores())[0].Text);
        Assert.Equal(2, new RandomSearch([s_kind], 10, seed: 1).Trials); // there are no more
    }

    [Fact]
    public void Halving_keeps_the_best_third_on_thrice_the_samples_until_one_has_all()
    {
        var search = new SuccessiveHalving([s_rate], 9, seed: 1);
        var scores = Scores();
        var rounds = new List<(int Width, double Share, int[] Numbers)>();
        while (search.Next(scores) is { Count: > 0 } trials)
        {
            rounds.Add((trials.Count, trials[0].Share, [.. trials.Select(trial => trial.Number)]));
            foreach (var trial in trials) scores[trial.Key] = trial.Number == 5 ? double.NaN : trial.Number % 4;
        }
        Assert.Equal([(9, 1 / 9.0), (3, 1 / 3.0), (1, 1)], rounds.Select(round => (round.Width, round.Share)));
        Assert.Equal([3, 7, 2], rounds[1].Numbers); // 3 of 4 twice, then the earlier of those with 2
        Assert.Equal(13, search.Trials);
        Assert.Equal(3, search.Work, 1e-9);
    }

    [Fact]
    public void A_search_goes_on_from_the_scores_alone()
    {
        var whole = Scores();
        var search = new SuccessiveHalving([s_rate, s_kind], 27, seed: 4, leastShare: 0.03);
        while (search.Next(whole) is { Count: > 0 } trials) whole[trials[0].Key] = trials[0].Number; // one at a time
        Assert.Equal(27 + 9 + 3 + 1, whole.Count);
        var half = whole.Take(20).ToDictionary();
        Assert.All(new SuccessiveHalving([s_rate, s_kind], 27, seed: 4, leastShare: 0.03).Next(half), trial => Assert.Contains(trial.Key, whole.Keys));
    }

    [Theory]
    [InlineData(0, 1, true, "scale")]
    [InlineData(2, 1, false, "below")]
    [InlineData(double.NaN, 1, false, "below")]
    public void Ends_that_make_no_range_are_refused(double from, double to, bool logarithmic, string said) =>
        Assert.Contains(said, Assert.Throws<ArgumentException>(() => SearchDimension.Range("x", from, to, logarithmic)).Message, StringComparison.Ordinal);

    [Fact]
    public void Nothing_to_vary_and_the_same_key_twice_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new GridSearch([]));
        Assert.Contains("twice", Assert.Throws<ArgumentException>(() => new GridSearch([s_kind, s_kind])).Message.Replace("2 times", "twice", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => SearchDimension.Of("x", "1", "1"));
    }

    private static Dictionary<(int Number, double Share), double> Scores(params (int Number, double Share, double Score)[] known) =>
        known.ToDictionary(score => (score.Number, score.Share), score => score.Score);
}
