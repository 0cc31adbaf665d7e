using Engram.Data;
using Engram.Drift;

namespace Engram.Tests.Drift;

public sealed class ErrorDetectorTests
{
    [Fact]
    public void Ddm_warns_and_detects_where_its_definition_does()
    {
        var random = new SeededRandom(4, "ddm");
        var ddm = new Ddm();
        var errors = new List<double>(); // since the last drift
        var (drifts, warnings) = (0, 0);

        for (var i = 0; i < 1600; i++)
        {
            var error = random.NextDouble() < (i / 400 % 2 == 0 ? 0.1 : 0.4) ? 1.0 : 0;
            ddm.Add(error);
            errors.Add(error);
            var (warning, drift) = DdmByDefinition(errors);

            Assert.Equal((warning, drift), (ddm.Warning, ddm.Drifting));
            Assert.Equal(errors.Average(), ddm.Estimate, 1e-12);
            warnings += warning ? 1 : 0;
            if (!drift) continue;
            drifts++;
            errors.Clear();
        }
        Assert.True(drifts >= 2 && warnings > drifts, $"{drifts} drifts, {warnings} warnings");
    }

    [Fact]
    public void Ddm_by_hand()
    {
        // 40 values, each tenth wrong: p = 0.1, s = √(0.1 · 0.9 / 40) = 0.04743. Then only errors: 4/40, 5/41, 6/42, ...
        var ddm = new Ddm();
        for (var i = 1; i <= 40; i++) ddm.Add(i % 10 == 0 ? 1 : 0);
        var (said, at) = (new List<string>(), 40);
        while (!ddm.Drifting)
        {
            ddm.Add(1);
            at++;
            said.Add(ddm.Drifting ? "drift" : ddm.Warning ? "warning" : "");
        }

        // p + s was lowest at 39 values (3 wrong): 3/39 + √(3/39 · 36/39 / 39) = 0.07692 + 0.04267. Warning from 0.16226 on: 5/41 + √(...) =
        // 0.12195 + 0.05110 = 0.17306. Drift above 0.20493: 6/42 gives 0.14286 + 0.05399 = 0.19685, 7/43 gives 0.16279 + 0.05630 = 0.21909.
        Assert.Equal(["warning", "warning", "drift"], said);
        Assert.Equal(43, at);
    }

    [Fact]
    public void Ddm_with_a_least_number_of_errors_says_nothing_of_the_first_failure_of_a_learner_that_never_failed()
    {
        var (paper, patient) = (new Ddm(), new Ddm { MinimumErrors = 5 });
        foreach (var detector in new[] { paper, patient })
        {
            for (var i = 0; i < 1000; i++) detector.Add(0);
            detector.Add(1);
        }

        Assert.True(paper.Drifting);
        Assert.False(patient.Drifting);
    }

    [Fact]
    public void Page_Hinkley_sums_what_exceeds_the_mean()
    {
        var random = new SeededRandom(5, "page-hinkley");
        var test = new PageHinkley { Alpha = 1, Lambda = 8 };
        var values = new List<double>(); // since the last drift
        var drifts = 0;

        for (var i = 0; i < 3000; i++)
        {
            var value = random.NextDouble() + (i / 500 * 0.5);
            test.Add(value);
            values.Add(value);

            // U_t and its minimum, by definition; U_0 = 0.
            var (u, lowest, sum) = (0.0, 0.0, 0.0);
            for (var t = 0; t < values.Count; t++)
            {
                sum += values[t];
                u += values[t] - (sum / (t + 1)) - 0.005;
                lowest = Math.Min(lowest, u);
            }
            Assert.Equal(u - lowest, test.Evidence, 1e-8);
            Assert.Equal(values.Count >= 30 && u - lowest > 8, test.Drifting);
            if (!test.Drifting) continue;
            drifts++;
            values.Clear();
        }
        Assert.True(drifts >= 4, $"{drifts} drifts");
    }

    [Fact]
    public void Page_Hinkley_by_hand()
    {
        // Means 1, 1, 2; evidence max(0, 0 + 0 − 0.1) = 0, 0, then 4 − 2 − 0.1 = 1.9, then 0.5 · 1.9 + 4 − 2.5 − 0.1 = 2.35.
        var test = new PageHinkley { Alpha = 0.5, Delta = 0.1, Lambda = 2, Minimum = 1 };
        var evidence = new List<double>();
        foreach (var value in new double[] { 1, 1, 4, 4 })
        {
            test.Add(value);
            evidence.Add(test.Evidence);
        }

        Assert.Equal([0, 0, 1.9, 2.35], evidence.Select(number => Math.Round(number, 12)));
        Assert.True(test.Drifting);
    }

    private static (bool Warning, bool Drift) DdmByDefinition(List<double> errors)
    {
        var (lowest, lowestRate, lowestDeviation) = (double.MaxValue, 0.0, 0.0);
        var (rate, deviation) = (0.0, 0.0);
        for (var n = 30; n <= errors.Count; n++)
        {
            rate = errors.Take(n).Sum() / n;
            deviation = Math.Sqrt(rate * (1 - rate) / n);
            if (rate + deviation <= lowest) (lowest, lowestRate, lowestDeviation) = (rate + deviation, rate, deviation);
        }
        var drift = errors.Count >= 30 && rate + deviation > lowestRate + (3 * lowestDeviation);
        return (errors.Count >= 30 && !drift && rate + deviation > lowestRate + (2 * lowestDeviation), drift);
    }
}
