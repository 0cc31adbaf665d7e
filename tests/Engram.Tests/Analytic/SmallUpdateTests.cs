using Engram.Analytic;
using Engram.Data;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Analytic;

public class SmallUpdateTests
{
    private const int Width = 120;
    private static readonly SubsetSource s_train = SubsetSource.Balanced(TestData.Mnist.Train, 60);
    private static readonly SubsetSource s_first = SubsetSource.WithLabels(s_train, Label.Numbers(0, 9));

    public static TheoryData<string> All => ["slda", "ridge", "pooled"];

    [Theory, MemberData(nameof(All))]
    public void One_sample_after_another_gives_the_weights_of_a_solve_from_the_start(string name)
    {
        using var scope = NewDisposeScope();
        using var updated = Make(name);
        using var solved = Make(name, updates: false);
        foreach (var learner in new[] { updated, solved })
        {
            learner.Learn(new Experience(0, s_first));
            learner.Weights();
        }
        var before = updated.MemoryBytes;
        // Ten digits of a new class among others; a few of them are unlearnt again.
        var rest = new SubsetSource(TestData.Mnist.Test.Samples, [.. Enumerable.Range(0, 60)]);
        for (var i = 0; i < rest.Count; i++)
        {
            var one = new SubsetSource(rest, [i]);
            foreach (var learner in new[] { updated, solved })
            {
                learner.Learn(new Experience(1 + i, one));
                if (i % 5 == 4) learner.Unlearn(new SubsetSource(rest, [i - 2]));
            }
            Assert.True(Difference(solved.Weights(), updated.Weights()) < 1e-8, $"{Difference(solved.Weights(), updated.Weights())} after {i + 1}");
        }
        Assert.True(updated.MemoryBytes >= before + (8 * Width * Width), "updates keep an inverse");
        Assert.True(solved.MemoryBytes < before + (8 * Width * Width), "a solve keeps none");
        updated.Learn(new Experience(100, TestData.Mnist.Test.Balanced(20).Samples)); // too many rows
        Assert.True(updated.MemoryBytes < before + (8 * Width * Width), "nor does an update after a large block");
    }

    [Theory, MemberData(nameof(All))]
    public void From_the_very_first_sample_on_it_says_what_a_solve_says(string name)
    {
        using var scope = NewDisposeScope();
        using var updated = Make(name);
        using var solved = Make(name, updates: false);
        for (var i = 0; i < 70; i++)
        {
            foreach (var learner in new[] { updated, solved })
                learner.Learn(new Experience(i, new SubsetSource(TestData.Mnist.Train, [i])));
            Assert.True(Difference(solved.Weights(), updated.Weights()) < 1e-7, $"{Difference(solved.Weights(), updated.Weights())} after {i + 1}");
        }
    }

    [Fact]
    public void Updates_of_small_batches_are_saved_and_go_on_bit_by_bit()
    {
        using var scope = NewDisposeScope();
        foreach (var name in All.Select(row => row.Data))
        {
            using var whole = Make(name);
            using var second = Make(name);
            whole.Learn(new Experience(0, s_first));
            for (var i = 1; i < 4; i++)
            {
                whole.Weights();
                whole.Learn(new Experience(i, new SubsetSource(TestData.Mnist.Test.Samples, [3 * i, (3 * i) + 1, (3 * i) + 2])));
            }
            var state = new MechanismState();
            whole.Save(state);
            second.Load(state);
            Assert.Equal(whole.MemoryBytes, second.MemoryBytes);
            Assert.Equal(whole.Weights().data<double>().ToArray(), second.Weights().data<double>().ToArray());
        }
    }

    [Fact]
    public void A_solution_that_has_drifted_from_the_sums_is_told_and_one_that_has_not_is_not()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var x = randn(50, 20, dtype: ScalarType.Float64);
        var (gram, right) = (x.t().matmul(x), randn(20, 3, dtype: ScalarType.Float64));
        var system = new LinearSystem(() => gram.clone(), v => gram.matmul(v) + v, 1, right);
        using var kept = KeptInverse.Of(system)!;
        var more = randn(2, 20, dtype: ScalarType.Float64);
        Assert.True(kept.Agrees(system, kept.Solve(1)!));
        Assert.True(kept.Update(more, +1, right, right));
        Assert.False(kept.Agrees(system, kept.Solve(1)!)); // the sums lack the rows
        gram = gram + more.t().matmul(more);
        Assert.True(kept.Agrees(system, kept.Solve(1)!));
        var grown = new LinearSystem(() => gram.clone(), v => gram.matmul(v) + (1.2 * v), 1.2, right);
        Assert.True(kept.Agrees(grown, kept.Solve(1.2)!));
        Assert.Null(kept.Solve(1.3));
        Assert.False(kept.Update(10 * x, -1, right, right)); // rows that were never there
    }

    [Fact]
    public void Where_no_update_helps_the_head_is_solved_and_never_NaN()
    {
        using var scope = NewDisposeScope();
        LinearAnalyticLearner[] learners =
        [
            new RidgeClassifier(new RawFeatures(64), 0), new RidgeClassifier(new RawFeatures(64), 1e-30), new StreamingLda(new RawFeatures(64), 1),
            new StreamingLda(new RawFeatures(64), 1e-300), new RidgeClassifier(new RawFeatures(64), balance: ClassBalance.PerClass),
            new RidgeClassifier(new RawFeatures(64), balance: ClassBalance.Pooled),
            new NearestClassMean(new RawFeatures(64)),
        ];
        foreach (var learner in learners)
            using (learner)
                for (var i = 0; i < 6; i++)
                {
                    learner.Learn(new Experience(i, TensorSource.OfClasses(full(1, 64, (float)(i % 3)), [0], Label.Numbers(i % 2, 1))));
                    Assert.True(learner.Scores(ones(3, 64)).isfinite().all().item<bool>());
                }
    }

    [Fact]
    public void An_inverse_that_is_too_far_off_is_tried_again_at_twice_as_many_samples()
    {
        const int Few = 20, Wide = 30;
        using var scope = NewDisposeScope();
        using var learner = new RidgeClassifier(new RandomFeatures(784, Wide, scale: 0.1), 1e-13);
        learner.Learn(new Experience(0, new SubsetSource(TestData.Mnist.Train, [.. Enumerable.Range(0, Few)])));
        for (var i = Few; i < 2 * (Few + 1); i++)
        {
            learner.Weights();
            Assert.Equal(i > Few, Saved().Values["retryAt"] is not null);
            Assert.False(Saved().Tensors.ContainsKey("inverse"), $"at {i}: fewer samples than features cannot be inverted, twice as many are not there yet");
            learner.Learn(new Experience(i, new SubsetSource(TestData.Mnist.Train, [i])));
        }
        learner.Weights();
        Assert.True(Saved().Tensors.ContainsKey("inverse"));

        MechanismState Saved()
        {
            var state = new MechanismState();
            learner.Save(state);
            return state;
        }
    }

    private static LinearAnalyticLearner Make(string name, bool updates = true)
    {
        var features = new RandomFeatures(784, Width, scale: 0.1);
        return name switch
        {
            "slda" => new StreamingLda(features) { SmallUpdates = updates },
            "pooled" => new RidgeClassifier(features, 1, balance: ClassBalance.Pooled) { SmallUpdates = updates },
            _ => new RidgeClassifier(features, 1) { SmallUpdates = updates },
        };
    }

    private static double Difference(Tensor expected, Tensor actual) => ((expected - actual).norm() / expected.norm()).item<double>();
}
