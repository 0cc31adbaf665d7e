using Engram.Analytic;
using Engram.Data;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Analytic;

public class UnknownRuleTests
{
    private static readonly IReadOnlyList<Label> s_known = Label.Numbers(0, 7);

    private static readonly ISampleSource s_train =
        SubsetSource.Balanced(SubsetSource.WithLabels(TestData.Mnist.Train, s_known), 400);

    private static readonly ISampleSource s_validation = SubsetSource.WithLabels(
        new SubsetSource(TestData.Mnist.Train, [.. Enumerable.Range(50_000, 2_000)]), s_known);

    private static readonly ISampleSource s_knownTest =
        TestData.Mnist.Test.WithLabels(s_known).Balanced(100).Samples;

    private static readonly ISampleSource s_unknownTest =
        TestData.Mnist.Test.WithLabels(Label.Numbers(7, 3)).Balanced(100).Samples;

    [Theory]
    [InlineData("slda", NoveltyMeasure.Distance, 2)]
    [InlineData("fecam", NoveltyMeasure.Distance, 3)]
    [InlineData("ncm", NoveltyMeasure.Distance, 1.05)]
    [InlineData("ridge", NoveltyMeasure.Energy, 1.5)]
    public void Digits_never_learnt_are_rejected_more_often_than_known_ones(string name, NoveltyMeasure measure, double times)
    {
        using var scope = NewDisposeScope();
        using var learner = Make(name);
        learner.Learn(new Experience(0, s_train));
        learner.Calibrate(s_validation);
        var rule = UnknownRule.Choose(learner, s_validation, 0.05, measure);
        var (known, unknown) = (Rejected(rule, learner, s_knownTest), Rejected(rule, learner, s_unknownTest));
        TestContext.Current.TestOutputHelper!.WriteLine($"{name} {measure}: known {known:0.000}, unknown {unknown:0.000}");
        Assert.InRange(Rejected(rule, learner, s_validation), 0.03, 0.05);
        Assert.InRange(known, 0, 0.12);
        Assert.True(unknown > times * known, $"known {known}, unknown {unknown}");
    }

    [Fact]
    public void Distances_of_streaming_lda_equal_a_direct_float64_computation()
    {
        using var scope = NewDisposeScope();
        using var learner = new StreamingLda(new RawFeatures(5), 0.1);
        using var generator = new Generator(2);
        var samples = randn(40, 5, generator: generator);
        int[] codes = [.. Enumerable.Range(0, 40).Select(i => i % 2)];
        learner.Learn(new Experience(0, TensorSource.OfClasses(samples, codes, Label.Numbers(0, 2))));
        var exact = samples.to(ScalarType.Float64).view(20, 2, 5);
        var means = exact.mean([0L]); // [2, 5]
        var centred = exact.sub(means).view(40, 5);
        var precision = linalg.inv(0.9 * centred.t().matmul(centred) / 40 + 0.1 * eye(5, dtype: ScalarType.Float64));
        var gap = means[1] - tensor(new double[] { 1, 2, 3, 4, 5 });
        var expected = gap.dot(precision.matmul(gap)).item<double>();
        Assert.Equal(expected, learner.Distances(tensor(new float[,] { { 1, 2, 3, 4, 5 } }))[0, 1].item<float>(), 1e-4 * expected);
        learner.Learn(new Experience(1, TensorSource.OfClasses(samples * 2, codes, Label.Numbers(0, 2)))); // the metric follows
        Assert.True(learner.Distances(tensor(new float[,] { { 1, 2, 3, 4, 5 } }))[0, 1].item<float>() < expected);
    }

    [Fact]
    public void The_false_alarm_rate_of_validation_data_is_never_exceeded()
    {
        using var scope = NewDisposeScope();
        using var learner = Make("slda");
        learner.Learn(new Experience(0, s_train));
        foreach (var rate in new[] { 0, 0.01, 0.1, 0.5 })
        {
            var rule = UnknownRule.Choose(learner, s_validation, rate);
            Assert.InRange(Rejected(rule, learner, s_validation), Math.Max(0, rate - 0.005), rate);
        }
    }

    [Fact]
    public void A_class_that_is_learnt_is_unknown_no_longer()
    {
        using var scope = NewDisposeScope();
        using var learner = Make("slda");
        learner.Learn(new Experience(0, s_train));
        var nines = TestData.Mnist.Test.WithLabels([9]).Balanced(100).Samples;
        var before = Rejected(UnknownRule.Choose(learner, s_validation), learner, nines);
        learner.Learn(new Experience(1, SubsetSource.Balanced(SubsetSource.WithLabels(TestData.Mnist.Train, [9]), 400)));
        Assert.True(Rejected(UnknownRule.Choose(learner, s_validation), learner, nines) < 0.5 * before);
    }

    [Fact]
    public void Bad_input_is_named()
    {
        using var scope = NewDisposeScope();
        using var learner = Make("ridge");
        learner.Learn(new Experience(0, s_train));
        Assert.Contains("falseAlarmRate: 1", Assert.Throws<ArgumentException>(() => UnknownRule.Choose(learner, s_validation, 1)).Message);
        Assert.Contains("expected Energy", Assert.Throws<ArgumentException>(
            () => UnknownRule.Choose(learner, s_validation, measure: NoveltyMeasure.Distance)).Message);
        Assert.Contains("label 7", Assert.Throws<ArgumentException>(() => UnknownRule.Choose(learner, s_unknownTest)).Message);
        Assert.Contains("temperature: 0", Assert.Throws<ArgumentException>(
            () => UnknownRule.Choose(learner, s_validation, temperature: 0)).Message);
    }

    private static AnalyticLearner Make(string name)
    {
        var features = new RandomFeatures(784, 200, scale: 0.1);
        return name switch
        {
            "slda" => new StreamingLda(features),
            "fecam" => new FeCam(features),
            "ncm" => new NearestClassMean(features),
            _ => new RidgeClassifier(features),
        };
    }

    private static double Rejected(UnknownRule rule, AnalyticLearner learner, ISampleSource samples)
    {
        var inputs = samples.Gather([.. Enumerable.Range(0, samples.Count).Select(i => (long)i)]).Inputs;
        return rule.Predict(learner, inputs).Count(prediction => prediction.Label is null) / (double)samples.Count;
    }
}
