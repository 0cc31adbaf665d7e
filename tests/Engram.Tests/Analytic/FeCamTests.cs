using Engram.Analytic;
using Engram.Data;
using Engram.Evaluation;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Analytic;

public class FeCamTests
{
    private const int Width = 60;
    private static readonly SubsetSource s_train = SubsetSource.Balanced(TestData.Mnist.Train, 150);
    private static readonly EvaluationSet s_test = TestData.Mnist.Test.Balanced(100);

    private static FeCam Make(FeCamOptions? options = null, int block = 512) =>
        new(new RandomFeatures(784, Width, scale: 0.1), options) { BlockSize = block };

    // Array arithmetic in double, written from the description: Tukey, covariance by centred sums, shrinkage, correlation.
    [Theory]
    [InlineData(1, 1, 0.5, true)]
    [InlineData(10, 2, 0.5, true)]
    [InlineData(0.5, 0, 1, false)]
    public void Distances_equal_a_direct_float64_computation(double gamma1, double gamma2, double tukey, bool correlation)
    {
        using var scope = NewDisposeScope();
        var source = SubsetSource.Balanced(TestData.Mnist.Train, 40);
        using var learner = Make(new FeCamOptions { Gamma1 = gamma1, Gamma2 = gamma2, Tukey = tukey, Correlation = correlation });
        learner.Learn(new Experience(0, source));
        var phi = Features(source, learner);
        var labels = source.Gather([.. Enumerable.Range(0, source.Count).Select(i => (long)i)]).Targets.data<long>().ToArray();
        var probes = TestData.Mnist.Test.Inputs([0, 1, 2, 3, 4]);
        var probe = Rows(learner.Features.Extract(probes.to(ScalarType.Float32) / 255));
        var actual = learner.Distances(probes);
        for (var c = 0; c < 10; c++)
        {
            var rows = phi.Where((_, i) => labels[i] == c).Select(row => row.Select(x => Math.Pow(x, tukey)).ToArray()).ToArray();
            var mean = Enumerable.Range(0, Width).Select(j => rows.Average(row => row[j])).ToArray();
            var covariance = new double[Width, Width];
            for (var i = 0; i < Width; i++)
                for (var j = 0; j < Width; j++)
                    covariance[i, j] = rows.Sum(row => (row[i] - mean[i]) * (row[j] - mean[j])) / (rows.Length - 1);
            var variance = Enumerable.Range(0, Width).Average(i => covariance[i, i]);
            var between = (covariance.Cast<double>().Sum() - (Width * variance)) / (Width * (Width - 1.0));
            for (var i = 0; i < Width; i++)
                for (var j = 0; j < Width; j++)
                    covariance[i, j] += i == j ? gamma1 * variance : gamma2 * between;
            if (correlation)
            {
                var deviation = Enumerable.Range(0, Width).Select(i => Math.Sqrt(covariance[i, i])).ToArray();
                for (var i = 0; i < Width; i++)
                    for (var j = 0; j < Width; j++)
                        covariance[i, j] /= deviation[i] * deviation[j];
            }
            var inverse = linalg.inv(tensor(covariance));
            for (var n = 0; n < probe.Length; n++)
            {
                var x = Unit([.. probe[n].Select(value => Math.Pow(value, tukey))]);
                var gap = tensor(x.Zip(Unit(mean), (a, b) => a - b).ToArray());
                var expected = gap.dot(inverse.matmul(gap)).item<double>();
                Assert.Equal(expected, actual[n, c].item<float>(), 1e-5 * Math.Max(1, expected));
            }
        }
    }

    [Fact]
    public void Order_block_size_and_unlearning_do_not_change_what_it_says_and_it_differs_from_streaming_lda()
    {
        using var scope = NewDisposeScope();
        using var joint = Make();
        joint.Learn(new Experience(0, s_train));
        using var parts = Make(block: 13);
        for (var digit = 9; digit >= 0; digit--)
            parts.Learn(new Experience(9 - digit, SubsetSource.WithLabels(s_train, [digit])));
        using var shuffled = Make(block: 1);
        shuffled.Learn(new Experience(0, new SubsetSource(s_train, new SeededRandom(1, "test").Permutation(s_train.Count))));
        var all = TestData.Mnist.Test;
        Assert.Equal(Names(joint, all), Names(parts, all));
        Assert.Equal(Names(joint, all), Names(shuffled, all));
        Assert.True(Evaluator.Accuracy(joint, s_test) > 0.75);

        var kept = SubsetSource.WithLabels(s_train, Label.Numbers(0, 9));
        using var never = Make();
        never.Learn(new Experience(0, kept));
        joint.Unlearn(SubsetSource.WithLabels(s_train, [9]));
        Assert.Equal(Names(never), Names(joint));

        using var lda = new StreamingLda(new RandomFeatures(784, Width, scale: 0.1));
        lda.Learn(new Experience(0, kept));
        Assert.NotEqual(Names(lda), Names(joint));
    }

    // Covariances of classes that did not change are kept; digit 0 has one sample, so its own is that of all and changes with each.
    [Fact]
    public void A_head_asked_for_after_every_change_is_that_of_one_asked_for_at_the_end()
    {
        using var scope = NewDisposeScope();
        using var often = Make();
        using var once = Make();
        var probes = TestData.Mnist.Test.Inputs([0, 1, 2, 3, 4]);
        ISampleSource Of(int digit) => SubsetSource.WithLabels(s_train, [digit]);
        ISampleSource[] parts = [new SubsetSource(Of(0), [0]), Of(1), Of(2), new SubsetSource(Of(3), [0, 1, 2])];
        for (var i = 0; i < parts.Length; i++)
            foreach (var learner in new[] { often, once })
            {
                learner.Learn(new Experience(i, parts[i]));
                if (learner == often) learner.Scores(probes);
            }
        Assert.True(often.Scores(probes).equal(once.Scores(probes)).all().item<bool>());
        foreach (var learner in new[] { often, once }) learner.Unlearn(new SubsetSource(Of(2), [5, 6, 7]));
        using var anew = Make();
        var state = new MechanismState();
        once.Save(state);
        anew.Load(state);
        Assert.True(often.Scores(probes).equal(anew.Scores(probes)).all().item<bool>());
    }

    [Fact]
    public void One_sample_per_class_constant_features_and_no_shrinkage_never_give_NaN()
    {
        using var scope = NewDisposeScope();
        FeCamOptions[] all = [new(), new() { Gamma1 = 0, Gamma2 = 0 }, new() { Tukey = 1, Correlation = false, Gamma1 = 0, Gamma2 = 0 }];
        Tensor[] inputs = [zeros(4, 8), ones(4, 8), cat([ones(2, 8), -ones(2, 8)]), eye(4, 8)];
        foreach (var options in all)
            foreach (var input in inputs)
                foreach (var codes in new int[][] { [0, 1, 2, 3], [0, 0, 0, 1], [0, 0, 1, 1] })
                {
                    using var learner = new FeCam(new RawFeatures(8), options);
                    learner.Learn(new Experience(0, TensorSource.OfClasses(input, codes, Label.Numbers(0, codes.Max() + 1))));
                    Assert.True(learner.Scores(ones(3, 8)).isfinite().all().item<bool>());
                    Assert.True(learner.Distances(zeros(3, 8)).isfinite().all().item<bool>());
                }
    }

    [Fact]
    public void One_digit_of_each_class_is_recognised_again()
    {
        var source = SubsetSource.Balanced(TestData.Mnist.Train, 1);
        using var learner = new FeCam(new RawFeatures(784));
        learner.Learn(new Experience(0, source));
        Assert.Equal(1, Evaluator.Accuracy(learner, new EvaluationSet("train", source)));
    }

    [Fact]
    public void Options_out_of_range_are_named()
    {
        foreach (var (name, options) in new (string, FeCamOptions)[]
        {
            ("Gamma1: -1", new() { Gamma1 = -1 }), ("Gamma2: 2", new() { Gamma2 = 2 }), ("Gamma1: NaN", new() { Gamma1 = double.NaN }),
            ("Tukey: 0", new() { Tukey = 0 }), ("Tukey: 2", new() { Tukey = 2 }),
        })
            Assert.Contains(name, Assert.Throws<ArgumentException>(() => new FeCam(new RawFeatures(8), options)).Message);
    }

    private static Label[] Names(AnalyticLearner learner, EvaluationSet? set = null) =>
        [.. Evaluator.Predict(learner, set ?? s_test).Predicted.Select(id => learner.Classes.LabelOf(id))];

    private static double[][] Features(SubsetSource source, AnalyticLearner learner) => Rows(learner.Features.Extract(
        source.Gather([.. Enumerable.Range(0, source.Count).Select(i => (long)i)]).Inputs.to(ScalarType.Float32) / 255));

    private static double[][] Rows(Tensor features) =>
        [.. features.to(ScalarType.Float64).data<double>().ToArray().Chunk((int)features.shape[1])];

    private static double[] Unit(double[] x)
    {
        var length = Math.Sqrt(x.Sum(value => value * value));
        return [.. x.Select(value => value / length)];
    }
}
