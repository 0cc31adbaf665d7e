using Engram.Evaluation.Benchmarks;

namespace Engram.Tests.Evaluation.Benchmarks;

public class MeasuredNumberTests
{
    [Fact]
    public void The_standard_error_is_the_root_of_the_population_variance_over_n_minus_1()
    {
        // Mean 20, squared deviations 100, 0, 100: population variance 200/3, over 2.
        var number = MeasuredNumber.Of([10, 20, 30]);

        Assert.Equal(20, number.Mean, 1e-12);
        Assert.Equal(Math.Sqrt(200.0 / 3 / 2), number.Sem, 1e-12);
        Assert.Equal(3, number.Seeds);
        Assert.True(double.IsNaN(MeasuredNumber.Of([5]).Sem));
    }

    [Theory]
    [InlineData(50, 3, 59.9, 4.0, Verdict.Agrees)] // two standard errors of the difference are 2 · 5
    [InlineData(50, 3, 60.1, 4.0, Verdict.Below)]
    [InlineData(50, 3, 39.9, 4.0, Verdict.Above)]
    [InlineData(50, 3, 56.1, null, Verdict.Below)] // no error given counts as none
    [InlineData(50, double.NaN, 50, 4.0, Verdict.None)] // one seed decides nothing
    public void Two_standard_errors_of_the_difference_decide(double mean, double sem, double published, double? error, Verdict verdict) =>
        Assert.Equal(verdict, new MeasuredNumber(mean, sem, 5).Against(new PublishedNumber(published, error)));

    [Fact]
    public void A_number_that_was_rounded_is_met_by_all_that_round_to_it()
    {
        var measured = new MeasuredNumber(86.45, 0.01, 5);
        Assert.Equal(Verdict.Agrees, measured.Against(new PublishedNumber(86, null, 0.5)));
        Assert.Equal(Verdict.Above, measured.Against(new PublishedNumber(86)));
    }

    [Fact]
    public void Nothing_published_nothing_compared() =>
        Assert.Equal(Verdict.None, new MeasuredNumber(50, 1, 5).Against(null));
}
