using Engram.Analytic;
using Engram.Data;
using Engram.Retention;
using Engram.Streams;
using Engram.Tests;
using static TorchSharp.torch;

namespace Engram.Conformance;

/// <summary>What every closed form must do, found by reflection: order is nothing, unlearning is exact, nothing gives NaN.</summary>
public class AnalyticConformanceTests
{
    private const int Width = 50;
    private static readonly SubsetSource s_train = SubsetSource.WithLabels(SubsetSource.Balanced(TestData.Mnist.Train, 30), Label.Numbers(0, 5));
    private static readonly Tensor s_probe = TestData.Mnist.Test.Balanced(20).Inputs([.. Enumerable.Range(0, 200).Select(i => (long)i)]).DetachFromDisposeScope();

    // One entry for each learner; a new one fails the test below until it has one.
    private static readonly Dictionary<Type, Func<FeatureExtractor, int, AnalyticLearner>> s_makers = new()
    {
        [typeof(NearestClassMean)] = (features, block) => new NearestClassMean(features) { BlockSize = block },
        [typeof(StreamingLda)] = (features, block) => new StreamingLda(features) { BlockSize = block },
        [typeof(FeCam)] = (features, block) => new FeCam(features) { BlockSize = block },
        [typeof(RidgeClassifier)] = (features, block) => new RidgeClassifier(features, lambda: 1) { BlockSize = block },
        [typeof(RecursiveRidge)] = (features, block) => new RecursiveRidge(features, lambda: 1) { BlockSize = block },
    };

    public static TheoryData<Type> All => [.. s_makers.Keys];

    [Fact]
    public void Every_closed_form_is_here()
    {
        var found = typeof(AnalyticLearner).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(AnalyticLearner)) && !type.IsAbstract);
        Assert.Equal(found.OrderBy(type => type.Name), s_makers.Keys.OrderBy(type => type.Name));
    }

    [Theory, MemberData(nameof(All))]
    public void Classes_backwards_and_samples_one_by_one_give_the_same(Type type)
    {
        using var scope = NewDisposeScope();
        using var once = Learnt(type, s_train);
        using var backwards = Make(type);
        foreach (var digit in new[] { 4, 3, 2, 1, 0 }) backwards.Learn(new Experience(digit, Of(digit)));
        using var singly = Make(type);
        for (var i = 0; i < s_train.Count; i++) singly.Learn(new Experience(i, new SubsetSource(s_train, [i])));

        AssertSame(once, backwards);
        AssertSame(once, singly);
    }

    [Theory, MemberData(nameof(All))]
    public void What_is_unlearnt_was_never_there(Type type)
    {
        using var scope = NewDisposeScope();
        using var whole = Learnt(type, s_train);
        whole.Unlearn(Of(2));
        var some = new SubsetSource(Of(3), [.. Enumerable.Range(0, 10)]);
        whole.Unlearn(some);
        using var never = Make(type);
        foreach (var digit in new[] { 0, 1, 4 }) never.Learn(new Experience(digit, Of(digit)));
        never.Learn(new Experience(3, new SubsetSource(Of(3), [.. Enumerable.Range(10, 20)])));

        AssertSame(never, whole);
        Assert.All(whole.Scores(s_probe).select(1, whole.Classes.IdOf(2)).data<float>().ToArray(), score => Assert.Equal(float.NegativeInfinity, score));
        foreach (var digit in new[] { 0, 1, 4 }) whole.Unlearn(Of(digit));
        whole.Unlearn(new SubsetSource(Of(3), [.. Enumerable.Range(10, 20)]));
        Assert.Throws<InvalidOperationException>(() => whole.Scores(s_probe)); // nothing is left to say
        whole.Learn(new Experience(100, s_train));
        using var fresh = Learnt(type, s_train);
        AssertSame(fresh, whole);
    }

    [Theory, MemberData(nameof(All))]
    public void It_is_saved_in_the_middle_of_an_experience_and_goes_on(Type type)
    {
        using var scope = NewDisposeScope();
        using var whole = Make(type);
        using var cut = Make(type);
        whole.Learn(new Experience(0, s_train));
        using var stop = new CancellationTokenSource();
        cut.BetweenSteps = stop.Cancel;
        Assert.ThrowsAny<OperationCanceledException>(() => cut.Learn(new Experience(0, s_train), cancellationToken: stop.Token));
        var state = new MechanismState();
        cut.Save(state);
        using var resumed = Make(type);
        resumed.Load(state);
        resumed.Learn(new Experience(0, s_train));

        Assert.True(resumed.Scores(s_probe).equal(whole.Scores(s_probe)).all().item<bool>());
    }

    [Theory, MemberData(nameof(All))]
    public void Odd_features_give_numbers_or_are_refused(Type type)
    {
        using var scope = NewDisposeScope();
        foreach (var (name, inputs) in new[]
        {
            ("constant", ones(12, 6)), ("zero", zeros(12, 6)), ("huge", randn(12, 6).mul(1e15)), ("tiny", randn(12, 6).mul(1e-15)), ("one column", randn(12, 1).expand(12, 6)),
        })
        {
            using var learner = Make(type, new RawFeatures(6));
            try
            {
                learner.Learn(new Experience(0, TensorSource.OfClasses(inputs.contiguous(), [.. Enumerable.Range(0, 12).Select(i => (Label)(i % 3))])));
            }
            catch (ArgumentException refused) when (refused.Message.StartsWith("samples: ", StringComparison.Ordinal))
            {
                continue;
            }
            Assert.False(learner.Scores(inputs.contiguous()).isnan().any().item<bool>(), name);
        }
        using var single = Make(type, new RawFeatures(6));
        single.Learn(new Experience(0, TensorSource.OfClasses(randn(1, 6), ["only"])));
        Assert.Equal("only", single.Predict(randn(3, 6)).Labels[0]);
        var before = single.Scores(ones(1, 6));
        Assert.Throws<ArgumentException>(() => single.Scores(full(1, 6, float.NaN)));
        Assert.True(single.Scores(ones(1, 6)).equal(before).all().item<bool>());
    }

    private static AnalyticLearner Make(Type type, FeatureExtractor? features = null) =>
        s_makers[type](features ?? new RandomFeatures(784, Width, seed: 1), 32);

    private static AnalyticLearner Learnt(Type type, ISampleSource samples)
    {
        var learner = Make(type);
        learner.Learn(new Experience(0, samples));
        return learner;
    }

    private static SubsetSource Of(int digit) => SubsetSource.WithLabels(s_train, [digit]);

    // By label, since ids follow the order in which labels came.
    private static void AssertSame(AnalyticLearner expected, AnalyticLearner actual)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (expected.Scores(s_probe), actual.Scores(s_probe));
        foreach (var label in expected.Classes.Classes)
        {
            var (one, other) = (a.select(1, expected.Classes.IdOf(label.Label)), b.select(1, actual.Classes.IdOf(label.Label)));
            var difference = one.sub(other).abs().max().div(one.abs().max().clamp_min(1e-12f)).item<float>();
            Assert.True(difference < 1e-4, $"{label.Label}: scores differ by {difference}");
        }
        Assert.Equal(expected.Predict(s_probe).Labels, actual.Predict(s_probe).Labels);
    }
}
