using Engram.Analytic;
using Engram.Data;
using Engram.Evaluation;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Analytic;

public class ClassBalanceTests
{
    private const int Width = 200;

    // 300 of each even digit, 15 of each odd one.
    private static readonly ConcatSource s_train = new ConcatSource(
        SubsetSource.Balanced(SubsetSource.WithLabels(TestData.Mnist.Train, [0, 2, 4, 6, 8]), 300),
        SubsetSource.Balanced(SubsetSource.WithLabels(TestData.Mnist.Train, [1, 3, 5, 7, 9]), 15));

    private static readonly EvaluationSet s_rare = TestData.Mnist.Test.WithLabels([1, 3, 5, 7, 9]).Balanced(200);

    private static readonly EvaluationSet s_all = TestData.Mnist.Test.Balanced(200);

    private static RandomFeatures Random() => new(784, Width, scale: 0.1);

    [Fact]
    public void Weights_by_class_equal_a_direct_solve_in_which_each_sample_has_its_weight()
    {
        using var scope = NewDisposeScope();
        var (phi, labels) = Features(s_train);
        var counts = labels.sum([0L]);
        var weight = labels.matmul((phi.shape[0] / (10 * counts)).unsqueeze(1)); // [n, 1]
        var direct = linalg.solve(
            phi.t().matmul(weight * phi) + eye(Width, dtype: ScalarType.Float64), phi.t().matmul(weight * labels));
        using var learner = new RidgeClassifier(Random(), 1, balance: ClassBalance.PerClass);
        learner.Learn(new Experience(0, s_train));
        Assert.True(Difference(direct, learner.Weights()) < 1e-6);
    }

    [Fact]
    public void Pooled_weights_equal_a_direct_solve_of_their_definition()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        int[] sizes = [50, 12, 3];
        Tensor[] classes = [.. sizes.Select((size, c) => (randn(size, 6, generator: generator) * (c + 1)) + (randn(1, 6, generator: generator) * 3))];
        int[] codes = [.. sizes.SelectMany((size, c) => Enumerable.Repeat(c, size))];
        using var pooled = new RidgeClassifier(new RawFeatures(6), 0.5, balance: ClassBalance.Pooled);
        pooled.Learn(new Experience(0, TensorSource.OfClasses(cat(classes), codes, Label.Numbers(0, 3))));

        Tensor[] exact = [.. classes.Select(own => own.to(ScalarType.Float64))];
        var means = stack([.. exact.Select(own => own.mean([0L]))]);
        var left = 0.5 * eye(6, dtype: ScalarType.Float64);
        foreach (var own in exact)
        {
            var (mean, centred) = (own.mean([0L], keepdim: true), own - own.mean([0L], keepdim: true));
            left += centred.t().matmul(centred) + (65 / 3.0 * mean.t().matmul(mean));
        }
        Assert.True(Difference(linalg.solve(left, 65 / 3.0 * means.t()), pooled.Weights()) < 1e-9);
    }

    [Fact]
    public void Pooled_weights_are_exact_where_classes_spread_alike()
    {
        using var scope = NewDisposeScope();
        // The same cloud around three means, twice in class 0, five times in class 1.
        using var generator = new Generator(3);
        var cloud = randn(40, 6, generator: generator);
        var means = randn(3, 6, generator: generator) * 3;
        int[] copies = [2, 5, 1];
        var samples = cat([.. copies.SelectMany((times, c) => Enumerable.Repeat(cloud + means[c], times))]);
        var codes = copies.SelectMany((times, c) => Enumerable.Repeat(c, 40 * times)).ToArray();
        var source = TensorSource.OfClasses(samples, codes, Label.Numbers(0, 3));
        using var pooled = new RidgeClassifier(new RawFeatures(6), 0.5, balance: ClassBalance.Pooled);
        using var perClass = new RidgeClassifier(new RawFeatures(6), 0.5, balance: ClassBalance.PerClass);
        using var none = new RidgeClassifier(new RawFeatures(6), 0.5);
        foreach (var learner in new[] { pooled, perClass, none }) learner.Learn(new Experience(0, source));
        Assert.True(Difference(perClass.Weights(), pooled.Weights()) < 1e-6);
        Assert.True(Difference(none.Weights(), pooled.Weights()) > 1e-2);
    }

    [Theory]
    [InlineData(ClassBalance.Pooled)]
    [InlineData(ClassBalance.PerClass)]
    public void Balance_is_free_of_order_and_unlearns_exactly_and_lifts_rare_classes(ClassBalance balance)
    {
        using var scope = NewDisposeScope();
        using var joint = new RidgeClassifier(Random(), 1, balance: balance);
        joint.Learn(new Experience(0, s_train));
        using var parts = new RidgeClassifier(Random(), 1, balance: balance) { BlockSize = 7 };
        for (var digit = 0; digit < 10; digit++)
            parts.Learn(new Experience(digit, SubsetSource.WithLabels(s_train, [digit])));
        var order = tensor(joint.Classes.Classes.Select(key => (long)parts.Classes.IdOf(key.Label)).ToArray());
        Assert.True(Difference(joint.Weights(), parts.Weights().index_select(1, order)) < 1e-6);

        using var plain = new RidgeClassifier(Random(), 1);
        plain.Learn(new Experience(0, s_train));
        Assert.True(Evaluator.Accuracy(joint, s_rare) > Evaluator.Accuracy(plain, s_rare) + 0.1);
        Assert.True(Evaluator.Accuracy(joint, s_all) > Evaluator.Accuracy(plain, s_all) + 0.03);

        using var never = new RidgeClassifier(Random(), 1, balance: balance);
        for (var digit = 0; digit < 9; digit++)
            never.Learn(new Experience(digit, SubsetSource.WithLabels(s_train, [digit])));
        parts.Unlearn(SubsetSource.WithLabels(s_train, [9]));
        Assert.True(Difference(never.Weights(), parts.Weights().narrow(1, 0, 9)) < 1e-6);
    }

    [Fact]
    public void Balance_changes_nothing_where_classes_are_of_equal_size()
    {
        using var scope = NewDisposeScope();
        var equal = SubsetSource.Balanced(TestData.Mnist.Train, 50);
        using var plain = new RidgeClassifier(Random(), 1);
        plain.Learn(new Experience(0, equal));
        foreach (var balance in new[] { ClassBalance.Pooled, ClassBalance.PerClass })
        {
            using var learner = new RidgeClassifier(Random(), 1, balance: balance);
            learner.Learn(new Experience(0, equal));
            Assert.True(Difference(plain.Weights(), learner.Weights()) < 1e-6);
        }
    }

    [Fact]
    public void A_prior_by_counts_adds_the_log_of_each_class_share_and_costs_rare_classes()
    {
        using var scope = NewDisposeScope();
        var inputs = TestData.Mnist.Test.Inputs([0, 1, 2]);
        (AnalyticLearner Uniform, AnalyticLearner Counts)[] pairs =
        [
            (new StreamingLda(Random(), 1e-2), new StreamingLda(Random(), 1e-2, prior: ClassPrior.Counts)),
            (new FeCam(Random()), new FeCam(Random(), new FeCamOptions { Prior = ClassPrior.Counts })),
        ];
        foreach (var (uniform, counts) in pairs)
            using (uniform)
            using (counts)
            {
                uniform.Learn(new Experience(0, s_train));
                counts.Learn(new Experience(0, s_train));
                var added = counts.Scores(inputs).sub(uniform.Scores(inputs));
                var share = uniform.Classes.Classes.Select(key => Math.Log((int.Parse(key.Label.Name) % 2 == 0 ? 300 : 15) / 1575.0));
                var expected = tensor(share.Select(value => (float)value).ToArray());
                Assert.True(added.sub(expected).abs().max().item<float>() < 1e-3);
                Assert.True(Evaluator.Accuracy(counts, s_rare) <= Evaluator.Accuracy(uniform, s_rare));
            }
    }

    private static (Tensor Phi, Tensor Labels) Features(ConcatSource source)
    {
        var batch = source.Gather([.. Enumerable.Range(0, source.Count).Select(i => (long)i)]);
        using var features = Random();
        return (features.Extract(batch.Inputs.to(ScalarType.Float32) / 255).to(ScalarType.Float64),
            nn.functional.one_hot(batch.Targets, source.Labels.Count).to(ScalarType.Float64));
    }

    private static double Difference(Tensor expected, Tensor actual) =>
        ((expected - actual).norm() / expected.norm()).item<double>();
}
