using BenchmarkDotNet.Attributes;
using Engram.Data;
using Engram.Learning;
using Engram.Models;
using static TorchSharp.torch;

namespace Engram.Benchmarks;

/// <summary>The parts of a training step of the MLP, each beside what it replaced.</summary>
[MemoryDiagnoser]
public class PartBenchmarks
{
    private const int BatchSize = 128;

    private readonly long[] _indices = [.. Enumerable.Range(0, BatchSize).Select(i => i * 463L)];
    private readonly InputScaling _scaling = new();
    private ISampleSource _source = null!;
    private ContinualModel _model = null!;
    private ParameterArena _arena = null!;
    private FlatOptimizer _adam = null!;
    private Tensor _bytes = null!, _inputs = null!, _targets = null!, _index = null!, _m = null!, _v = null!;

    [GlobalSetup]
    public void Setup()
    {
        _source = Mnist.Load(WholeRuns.Folder()).Train;
        _model = new ContinualModel(new Mlp(784, 400, 400));
        _model.Head.Grow(10);
        _arena = new ParameterArena(_model);
        _adam = new AdamOptions().Build();
        (_bytes, _targets) = _source.Gather(_indices);
        (_inputs, _index) = (_scaling.Apply(_bytes), tensor(_indices));
        (_m, _v) = (zeros_like(_arena.Values), zeros_like(_arena.Values));
    }

    [Benchmark]
    public void Gather()
    {
        using var scope = NewDisposeScope();
        _source.Gather(_indices);
    }

    [Benchmark]
    public void Scale()
    {
        using var scope = NewDisposeScope();
        _scaling.Apply(_bytes);
    }

    [Benchmark]
    public void ScaleByTorch()
    {
        using var scope = NewDisposeScope();
        _bytes.to(ScalarType.Float32).div_(255);
    }

    [Benchmark]
    public void Forward()
    {
        using var scope = NewDisposeScope();
        _model.forward(_inputs);
    }

    [Benchmark]
    public void ForwardAndBackward()
    {
        using var scope = NewDisposeScope();
        _arena.Backward(nn.functional.cross_entropy(_model.forward(_inputs), _targets));
    }

    [Benchmark]
    public void ForwardAndBackwardByAccumulation()
    {
        using var scope = NewDisposeScope();
        _arena.Gradient.zero_();
        nn.functional.cross_entropy(_model.forward(_inputs), _targets).backward();
    }

    [Benchmark]
    public void Adam() => _adam.Step(_arena);

    [Benchmark]
    public void AdamByTorch()
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var gradient = _arena.Gradient;
        _m.mul_(0.9).add_(gradient, alpha: 0.1);
        _v.mul_(0.999).addcmul_(gradient, gradient, 0.001);
        _arena.Values.addcdiv_(_m, _v.sqrt().add_(1e-8), -1e-3);
    }
}
