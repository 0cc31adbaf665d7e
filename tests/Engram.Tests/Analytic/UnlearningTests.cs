using Engram.Analytic;
using Engram.Data;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Analytic;

/// <summary>Unlearning at its limits: nothing left, little regularisation, failures half way.</summary>
public class UnlearningTests
{
    private static readonly SubsetSource s_digits = SubsetSource.Balanced(TestData.Mnist.Train, 60);

    [Theory]
    [InlineData("ncm")]
    [InlineData("slda")]
    [InlineData("fecam")]
    [InlineData("ridge")]
    public void A_learner_that_unlearnt_all_is_as_new(string name)
    {
        using var scope = NewDisposeScope();
        using var used = Make(name);
        using var fresh = Make(name);
        var (first, second) = (SubsetSource.WithLabels(s_digits, Label.Numbers(0, 3)), SubsetSource.WithLabels(s_digits, Label.Numbers(0, 3)));
        used.Learn(new Experience(0, SubsetSource.WithLabels(s_digits, Label.Numbers(3, 3))));
        used.Unlearn(SubsetSource.WithLabels(s_digits, Label.Numbers(3, 3)));
        Assert.Throws<InvalidOperationException>(() => used.Scores(s_digits.Gather([0]).Inputs));
        used.Learn(new Experience(1, first));
        fresh.Learn(new Experience(0, second));

        var inputs = s_digits.Gather([.. Enumerable.Range(0, 100).Select(i => (long)i)]).Inputs;
        Assert.True(used.Scores(inputs).narrow(1, 3, 3).equal(fresh.Scores(inputs)).all().item<bool>()); // to the last bit
    }

    [Theory]
    [InlineData("ncm")]
    [InlineData("fecam")]
    [InlineData("ridge by class")]
    public void A_class_whose_sums_are_kept_apart_is_unlearnt_without_its_samples(string name)
    {
        using var scope = NewDisposeScope();
        using var learner = Make(name);
        using var never = Make(name);
        var kept = SubsetSource.WithLabels(s_digits, Label.Numbers(0, 5));
        never.Learn(new Experience(0, kept));
        learner.Learn(new Experience(0, kept));
        learner.Learn(new Experience(1, SubsetSource.WithLabels(s_digits, [5])));
        var inputs = s_digits.Gather([.. Enumerable.Range(0, 100).Select(i => (long)i)]).Inputs;
        learner.Scores(inputs);
        learner.Unlearn((Label)5);

        var (expected, found) = (never.Scores(inputs), learner.Scores(inputs));
        Assert.True(found.narrow(1, 0, 5).equal(expected).all().item<bool>()); // to the last bit
        Assert.All(found.select(1, 5).data<float>().ToArray(), score => Assert.Equal(float.NegativeInfinity, score));
        Assert.Contains("label: 5 has no samples", Assert.Throws<ArgumentException>(() => learner.Unlearn((Label)5)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => learner.Unlearn((Label)"never"));
        learner.Learn(new Experience(2, SubsetSource.WithLabels(s_digits, [5])));
        Assert.True(learner.Scores(inputs).select(1, 5).isfinite().all().item<bool>());
    }

    [Theory]
    [InlineData("slda")]
    [InlineData("ridge")]
    public void Where_sums_are_shared_a_class_is_not_unlearnt_without_its_samples(string name)
    {
        using var scope = NewDisposeScope();
        using var learner = Make(name);
        learner.Learn(new Experience(0, s_digits));
        var inputs = s_digits.Gather([0, 1, 2]).Inputs;
        var before = learner.Scores(inputs);
        Assert.Contains("expected its samples", Assert.Throws<NotSupportedException>(() => learner.Unlearn((Label)5)).Message, StringComparison.Ordinal);
        Assert.True(learner.Scores(inputs).equal(before).all().item<bool>());
    }

    [Fact]
    public void Ridge_with_hardly_any_regularisation_unlearns_to_what_never_saw_it()
    {
        using var scope = NewDisposeScope();
        using var learner = new RidgeClassifier(new RandomFeatures(784, 150, seed: 2), lambda: 1e-6);
        using var never = new RidgeClassifier(new RandomFeatures(784, 150, seed: 2), lambda: 1e-6);
        var (kept, gone) = (SubsetSource.WithLabels(s_digits, Label.Numbers(0, 5)), SubsetSource.WithLabels(s_digits, Label.Numbers(5, 1)));
        learner.Learn(new Experience(0, kept));
        learner.Weights(); // updates follow from here
        for (var i = 0; i < 10; i++)
        {
            learner.Learn(new Experience(1 + i, new SubsetSource(gone, [i])));
            learner.Weights();
        }
        for (var i = 0; i < 10; i++) learner.Unlearn(new SubsetSource(gone, [i]));
        never.Learn(new Experience(0, kept));

        var (weights, expected) = (learner.Weights().narrow(1, 0, 5), never.Weights());
        var difference = weights.sub(expected).norm().div(expected.norm()).item<double>();
        Assert.True(difference < 1e-6, $"{difference}");
    }

    [Fact]
    public void In_float32_products_what_is_unlearnt_leaves_a_trace_and_in_float64_none_to_speak_of()
    {
        using var scope = NewDisposeScope();
        double Trace(bool fast)
        {
            RidgeClassifier New() => new(new RandomFeatures(784, 150, seed: 2), lambda: 1) { FastProducts = fast };
            using var learner = New();
            using var never = New();
            var (kept, gone) = (SubsetSource.WithLabels(s_digits, Label.Numbers(0, 5)), SubsetSource.WithLabels(s_digits, Label.Numbers(5, 5)));
            learner.Learn(new Experience(0, new ConcatSource(kept, gone)));
            learner.Unlearn(gone);
            never.Learn(new Experience(0, kept));
            var expected = never.Weights();
            return learner.Weights().narrow(1, 0, 5).sub(expected).norm().div(expected.norm()).item<double>();
        }
        Assert.InRange(Trace(fast: false), 0, 1e-9);
        Assert.InRange(Trace(fast: true), 1e-9, 1e-2); // why the service learns in float64
    }

    [Fact]
    public void A_failure_half_way_leaves_the_learner_as_it_was()
    {
        using var scope = NewDisposeScope();
        using var features = new Breaking();
        using var learner = new RidgeClassifier(features, lambda: 1) { BlockSize = 32 };
        learner.Learn(new Experience(0, s_digits));
        var before = learner.Weights().clone();

        features.After = 3; // one that checks, one block, then it breaks
        Assert.Throws<ArgumentException>(() => learner.Unlearn(new SubsetSource(s_digits, [.. Enumerable.Range(0, 96)])));
        Assert.True(learner.Weights().allclose(before, 1e-9, 1e-12));

        features.After = 3;
        Assert.Throws<ArgumentException>(() => learner.Learn(new Experience(1, new SubsetSource(s_digits, [.. Enumerable.Range(0, 96)]))));
        Assert.True(learner.Weights().allclose(before, 1e-9, 1e-12));
        features.After = int.MaxValue;
        learner.Learn(new Experience(2, TestData.Mnist.Test.Balanced(5).Samples)); // and it goes on with another experience
    }

    [Fact]
    public void Features_of_unequal_units_are_not_taken_for_dependent_ones()
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        var x = randn(400, 6);
        var scales = tensor(new[] { 1f, 1e-6f, 1e3f, 1f, 1e-4f, 10f });
        var codes = x.select(1, 1).gt(0).to(ScalarType.Int32).data<int>().ToArray(); // the smallest feature tells the classes apart
        using var even = new RidgeClassifier(new RawFeatures(6), lambda: 0);
        using var uneven = new RidgeClassifier(new RawFeatures(6), lambda: 0);
        even.Learn(new Experience(0, TensorSource.OfClasses(x, codes, ["a", "b"])));
        uneven.Learn(new Experience(0, TensorSource.OfClasses(x.mul(scales), codes, ["a", "b"])));
        Assert.True(uneven.Weights().mul(scales.to(ScalarType.Float64).unsqueeze(1)).allclose(even.Weights(), 1e-5, 1e-8));
    }

    private static AnalyticLearner Make(string name)
    {
        var features = new RandomFeatures(784, 60, seed: 1);
        return name switch
        {
            "ncm" => new NearestClassMean(features),
            "slda" => new StreamingLda(features),
            "fecam" => new FeCam(features),
            "ridge by class" => new RidgeClassifier(features, lambda: 1, balance: ClassBalance.PerClass),
            _ => new RidgeClassifier(features, lambda: 1),
        };
    }

    private sealed class Breaking() : FeatureExtractor(20)
    {
        private readonly RandomFeatures _inner = new(784, 20, seed: 3);

        public int After { get; set; } = int.MaxValue;

        public override long MemoryBytes => _inner.MemoryBytes;

        public override Tensor Extract(Tensor inputs) => After-- > 0 ? _inner.Extract(inputs) : After > -2 ? full(inputs.shape[0], 20, float.NaN) : _inner.Extract(inputs);

        public override void Dispose()
        {
            _inner.Dispose();
            base.Dispose();
        }
    }
}
