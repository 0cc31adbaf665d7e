using Engram.Analytic;
using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Analytic;

public class CalibrationTests
{
    private static readonly SubsetSource s_train = SubsetSource.Balanced(TestData.Mnist.Train, 300);

    private static readonly ISampleSource s_validation = new SubsetSource(
        TestData.Mnist.Train, [.. Enumerable.Range(50_000, 2_000)]);

    private static readonly ISampleSource s_test = TestData.Mnist.Test.Balanced(300).Samples;

    [Fact]
    public void Expected_calibration_error_equals_a_hand_computation()
    {
        using var scope = NewDisposeScope();
        // Two bins: (0, 0.5] and (0.5, 1]. Confidences 0.5 right, 0.6 right, 0.8 wrong, 1 right.
        var probabilities = tensor(new double[,] { { 0.5, 0.3, 0.2 }, { 0.2, 0.6, 0.2 }, { 0.8, 0.1, 0.1 }, { 0, 0, 1 } });
        var expected = (Math.Abs(1 - 0.5) + Math.Abs(2 - 2.4)) / 4;
        Assert.Equal(expected, CalibrationError.Expected(probabilities, [0, 1, 1, 2], bins: 2), 12);
        Assert.Equal(0, CalibrationError.Expected(tensor(new double[,] { { 1, 0 } }), [0]), 12);
    }

    [Fact]
    public void The_temperature_is_where_the_negative_log_likelihood_is_least()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var scores = randn(500, 4, generator: generator) * 7;
        var ids = multinomial((scores / 7 * 1.5).softmax(1), 1, generator: generator).view(-1);
        var best = TemperatureScaling.Fit(scores, ids);
        double Loss(double temperature) =>
            nn.functional.cross_entropy(scores.to(ScalarType.Float64) / temperature, ids).item<double>();
        Assert.InRange(best, 2, 10); // 7 / 1.5 = 4.7 made the labels
        foreach (var factor in new[] { 0.5, 0.9, 0.99, 1.01, 1.1, 2 }) Assert.True(Loss(best * factor) > Loss(best), $"{factor}");
    }

    [Theory]
    [InlineData(1e-12)]
    [InlineData(1e12)]
    public void The_temperature_follows_the_unit_of_scores(double unit)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(6);
        var scores = randn([500, 4], ScalarType.Float64, generator: generator);
        var ids = multinomial(scores.softmax(1), 1, generator: generator).view(-1);
        Assert.Equal(1, TemperatureScaling.Fit(scores * unit, ids) / (unit * TemperatureScaling.Fit(scores, ids)), 9);
    }

    [Theory]
    [InlineData("ridge")]
    [InlineData("slda")]
    [InlineData("fecam")]
    [InlineData("ncm")]
    [InlineData("recursive")]
    public void Calibration_on_validation_data_brings_the_error_on_test_data_down(string name)
    {
        using var scope = NewDisposeScope();
        var features = new RandomFeatures(784, 200, scale: 0.1);
        using AnalyticLearner learner = name switch
        {
            "ridge" => new RidgeClassifier(features),
            "slda" => new StreamingLda(features),
            "ncm" => new NearestClassMean(features),
            "fecam" => new FeCam(features),
            _ => new RecursiveRidge(features),
        };
        learner.Learn(new Experience(0, s_train));
        var before = Error(learner);
        var labels = Labels(learner);
        learner.Calibrate(s_validation);
        var after = Error(learner);
        TestContext.Current.TestOutputHelper!.WriteLine($"{name}: ECE {before:0.0000} to {after:0.0000}, T {learner.Temperature:0.0000}");
        Assert.True(after < 0.06, $"{after}");
        Assert.True(after < 0.6 * before, $"{before} to {after}");
        Assert.Equal(labels, Labels(learner));
    }

    [Fact]
    public void A_learner_trained_by_gradients_gets_a_temperature_too()
    {
        using var scope = NewDisposeScope();
        using var learner = new Learner(() => new ContinualModel(new Mlp(784, 50)), new LearnerOptions { Epochs = 30 });
        learner.Learn(new Experience(0, SubsetSource.Balanced(TestData.Mnist.Train, 20)));
        Assert.True(TemperatureScaling.Fit(learner, s_validation) > 1); // fitted too well to few samples: too sure
    }

    [Fact]
    public void Bad_input_is_named_and_certainty_ends_at_a_finite_temperature()
    {
        using var scope = NewDisposeScope();
        Assert.InRange(TemperatureScaling.Fit(tensor(new float[,] { { 1, 0 }, { 0, 1 } }), tensor(new long[] { 0, 1 })), 1e-7, 1);
        Assert.InRange(TemperatureScaling.Fit(tensor(new float[,] { { 1, 0 }, { 0, 1 } }), tensor(new long[] { 1, 0 })), 1e5, 1e7);
        Assert.InRange(TemperatureScaling.Fit(
            tensor(new float[,] { { 1, 0, float.NegativeInfinity }, { 3, 2, float.NegativeInfinity } }), tensor(new long[] { 0, 1 })), 1, 1e7);
        Assert.Contains("not finite", Assert.Throws<ArgumentException>(() => TemperatureScaling.Fit(
            tensor(new float[,] { { 1, float.NegativeInfinity } }), tensor(new long[] { 1 }))).Message);
        using var learner = new NearestClassMean(new RawFeatures(784));
        learner.Learn(new Experience(0, SubsetSource.WithLabels(s_train, [0, 1])));
        Assert.Contains("label 2", Assert.Throws<ArgumentException>(() => learner.Calibrate(SubsetSource.WithLabels(s_train, [0, 2]))).Message);
        Assert.Equal(1, learner.Temperature);
    }

    private static double Error(AnalyticLearner learner)
    {
        using var prediction = learner.Predict(All().Inputs);
        return CalibrationError.Expected(prediction.Probabilities(), Truth(learner));
    }

    private static Label[] Labels(AnalyticLearner learner)
    {
        using var prediction = learner.Predict(All().Inputs);
        return prediction.Labels;
    }

    private static Batch All() => s_test.Gather([.. Enumerable.Range(0, s_test.Count).Select(i => (long)i)]);

    private static long[] Truth(AnalyticLearner learner) =>
        [.. s_test.Codes.ToArray().Select(code => (long)learner.Classes.IdOf(s_test.Labels[code]))];
}
