"""Rushlight: PyTorch's API over a small native core. Written by tools/make_stubs.py; do not edit."""

# ruff: noqa
import builtins
from typing import Any

from rushlight import _C as _C
from rushlight import accelerator as accelerator
from rushlight import amp as amp
from rushlight import array_api as array_api
from rushlight import autograd as autograd
from rushlight import backends as backends
from rushlight import compat as compat
from rushlight import compiler as compiler
from rushlight import cpu as cpu
from rushlight import cuda as cuda
from rushlight import demo as demo
from rushlight import distributed as distributed
from rushlight import distributions as distributions
from rushlight import fft as fft
from rushlight import func as func
from rushlight import functional as functional
from rushlight import futures as futures
from rushlight import fx as fx
from rushlight import hub as hub
from rushlight import jit as jit
from rushlight import linalg as linalg
from rushlight import masked as masked
from rushlight import monitor as monitor
from rushlight import multiprocessing as multiprocessing
from rushlight import nn as nn
from rushlight import onnx as onnx
from rushlight import optim as optim
from rushlight import overrides as overrides
from rushlight import printing as printing
from rushlight import quasirandom as quasirandom
from rushlight import random as random
from rushlight import return_types as return_types
from rushlight import serialization as serialization
from rushlight import signal as signal
from rushlight import sparse as sparse
from rushlight import special as special
from rushlight import storage as storage
from rushlight import testing as testing
from rushlight import torch_version as torch_version
from rushlight import types as types
from rushlight import utils as utils
from rushlight import version as version
from rushlight import viz as viz
from rushlight._core import (
    Generator as Generator,
    Size as Size,
    Tensor as Tensor,
    abs as abs,
    abs_ as abs_,
    absolute as absolute,
    absolute_ as absolute_,
    acos as acos,
    acos_ as acos_,
    acosh as acosh,
    acosh_ as acosh_,
    adaptive_avg_pool1d as adaptive_avg_pool1d,
    adaptive_max_pool1d as adaptive_max_pool1d,
    add as add,
    add_ as add_,
    addbmm as addbmm,
    addbmm_ as addbmm_,
    addcdiv as addcdiv,
    addcdiv_ as addcdiv_,
    addcmul as addcmul,
    addcmul_ as addcmul_,
    addmm as addmm,
    addmm_ as addmm_,
    addmv as addmv,
    addmv_ as addmv_,
    addr as addr,
    addr_ as addr_,
    all as all,
    amax as amax,
    amin as amin,
    angle as angle,
    any as any,
    arccos as arccos,
    arccos_ as arccos_,
    arccosh as arccosh,
    arccosh_ as arccosh_,
    arcsin as arcsin,
    arcsin_ as arcsin_,
    arcsinh as arcsinh,
    arcsinh_ as arcsinh_,
    arctan as arctan,
    arctan2 as arctan2,
    arctan2_ as arctan2_,
    arctan_ as arctan_,
    arctanh as arctanh,
    arctanh_ as arctanh_,
    argmax as argmax,
    argmin as argmin,
    as_strided as as_strided,
    as_strided_scatter as as_strided_scatter,
    asin as asin,
    asin_ as asin_,
    asinh as asinh,
    asinh_ as asinh_,
    atan as atan,
    atan2 as atan2,
    atan2_ as atan2_,
    atan_ as atan_,
    atanh as atanh,
    atanh_ as atanh_,
    avg_pool1d as avg_pool1d,
    baddbmm as baddbmm,
    baddbmm_ as baddbmm_,
    bernoulli as bernoulli,
    bfloat16 as bfloat16,
    bincount as bincount,
    binomial as binomial,
    bitwise_and as bitwise_and,
    bitwise_and_ as bitwise_and_,
    bitwise_left_shift as bitwise_left_shift,
    bitwise_left_shift_ as bitwise_left_shift_,
    bitwise_not as bitwise_not,
    bitwise_not_ as bitwise_not_,
    bitwise_or as bitwise_or,
    bitwise_or_ as bitwise_or_,
    bitwise_right_shift as bitwise_right_shift,
    bitwise_right_shift_ as bitwise_right_shift_,
    bitwise_xor as bitwise_xor,
    bitwise_xor_ as bitwise_xor_,
    bmm as bmm,
    bool as bool,
    broadcast_shapes as broadcast_shapes,
    bucketize as bucketize,
    can_cast as can_cast,
    cat as cat,
    cdouble as cdouble,
    ceil as ceil,
    ceil_ as ceil_,
    celu as celu,
    celu_ as celu_,
    cfloat as cfloat,
    channels_last as channels_last,
    channels_last_3d as channels_last_3d,
    clamp_max as clamp_max,
    clamp_max_ as clamp_max_,
    clamp_min as clamp_min,
    clamp_min_ as clamp_min_,
    clone as clone,
    complex as complex,
    complex128 as complex128,
    complex64 as complex64,
    concat as concat,
    concatenate as concatenate,
    conj as conj,
    conj_ as conj_,
    conj_physical as conj_physical,
    conj_physical_ as conj_physical_,
    constant_pad_nd as constant_pad_nd,
    contiguous_format as contiguous_format,
    conv1d as conv1d,
    conv2d as conv2d,
    conv3d as conv3d,
    conv_transpose1d as conv_transpose1d,
    conv_transpose2d as conv_transpose2d,
    conv_transpose3d as conv_transpose3d,
    convolution as convolution,
    copysign as copysign,
    copysign_ as copysign_,
    cos as cos,
    cos_ as cos_,
    cosh as cosh,
    cosh_ as cosh_,
    count_nonzero as count_nonzero,
    cummax as cummax,
    cummin as cummin,
    cumprod as cumprod,
    cumprod_ as cumprod_,
    cumsum as cumsum,
    cumsum_ as cumsum_,
    default_generator as default_generator,
    deg2rad as deg2rad,
    deg2rad_ as deg2rad_,
    device as device,
    diagonal as diagonal,
    digamma as digamma,
    digamma_ as digamma_,
    dot as dot,
    double as double,
    dropout as dropout,
    dtype as dtype,
    empty as empty,
    empty_like as empty_like,
    eq as eq,
    eq_ as eq_,
    erf as erf,
    erf_ as erf_,
    erfc as erfc,
    erfc_ as erfc_,
    erfinv as erfinv,
    erfinv_ as erfinv_,
    exp as exp,
    exp2 as exp2,
    exp2_ as exp2_,
    exp_ as exp_,
    expm1 as expm1,
    expm1_ as expm1_,
    eye as eye,
    fill as fill,
    fill_ as fill_,
    fix as fix,
    fix_ as fix_,
    flip as flip,
    float as float,
    float16 as float16,
    float32 as float32,
    float64 as float64,
    floor as floor,
    floor_ as floor_,
    floor_divide as floor_divide,
    floor_divide_ as floor_divide_,
    fmax as fmax,
    fmin as fmin,
    fmod as fmod,
    fmod_ as fmod_,
    frac as frac,
    frac_ as frac_,
    gather as gather,
    gcd as gcd,
    gcd_ as gcd_,
    ge as ge,
    ge_ as ge_,
    ger as ger,
    get_default_dtype as get_default_dtype,
    get_num_threads as get_num_threads,
    greater as greater,
    greater_ as greater_,
    greater_equal as greater_equal,
    greater_equal_ as greater_equal_,
    gt as gt,
    gt_ as gt_,
    half as half,
    hardshrink as hardshrink,
    heaviside as heaviside,
    heaviside_ as heaviside_,
    histc as histc,
    hypot as hypot,
    hypot_ as hypot_,
    i0 as i0,
    i0_ as i0_,
    igamma as igamma,
    igamma_ as igamma_,
    igammac as igammac,
    igammac_ as igammac_,
    imag as imag,
    index_add as index_add,
    index_add_ as index_add_,
    index_copy as index_copy,
    index_copy_ as index_copy_,
    index_fill as index_fill,
    index_fill_ as index_fill_,
    index_put as index_put,
    index_put_ as index_put_,
    index_select as index_select,
    int as int,
    int16 as int16,
    int32 as int32,
    int64 as int64,
    int8 as int8,
    is_grad_enabled as is_grad_enabled,
    is_inference_mode_enabled as is_inference_mode_enabled,
    isfinite as isfinite,
    isinf as isinf,
    isnan as isnan,
    isneginf as isneginf,
    isposinf as isposinf,
    isreal as isreal,
    jagged as jagged,
    kthvalue as kthvalue,
    layout as layout,
    lcm as lcm,
    lcm_ as lcm_,
    le as le,
    le_ as le_,
    lerp as lerp,
    lerp_ as lerp_,
    less as less,
    less_ as less_,
    less_equal as less_equal,
    less_equal_ as less_equal_,
    lgamma as lgamma,
    lgamma_ as lgamma_,
    linspace as linspace,
    log as log,
    log10 as log10,
    log10_ as log10_,
    log1p as log1p,
    log1p_ as log1p_,
    log2 as log2,
    log2_ as log2_,
    log_ as log_,
    log_softmax as log_softmax,
    logaddexp as logaddexp,
    logaddexp2 as logaddexp2,
    logcumsumexp as logcumsumexp,
    logical_and as logical_and,
    logical_and_ as logical_and_,
    logical_not as logical_not,
    logical_not_ as logical_not_,
    logical_or as logical_or,
    logical_or_ as logical_or_,
    logical_xor as logical_xor,
    logical_xor_ as logical_xor_,
    logit as logit,
    logit_ as logit_,
    logsumexp as logsumexp,
    long as long,
    lt as lt,
    lt_ as lt_,
    masked_fill as masked_fill,
    masked_fill_ as masked_fill_,
    masked_scatter as masked_scatter,
    masked_scatter_ as masked_scatter_,
    masked_select as masked_select,
    matmul as matmul,
    max_pool1d as max_pool1d,
    max_pool1d_with_indices as max_pool1d_with_indices,
    max_pool2d as max_pool2d,
    max_pool3d as max_pool3d,
    maximum as maximum,
    mean as mean,
    memory_format as memory_format,
    minimum as minimum,
    mm as mm,
    mode as mode,
    mul as mul,
    mul_ as mul_,
    multinomial as multinomial,
    multiply as multiply,
    multiply_ as multiply_,
    mv as mv,
    nan_to_num as nan_to_num,
    nan_to_num_ as nan_to_num_,
    narrow as narrow,
    native_batch_norm as native_batch_norm,
    native_dropout as native_dropout,
    native_dropout_backward as native_dropout_backward,
    native_layer_norm as native_layer_norm,
    ne as ne,
    ne_ as ne_,
    neg as neg,
    neg_ as neg_,
    negative as negative,
    negative_ as negative_,
    nextafter as nextafter,
    nextafter_ as nextafter_,
    not_equal as not_equal,
    not_equal_ as not_equal_,
    ones as ones,
    ones_like as ones_like,
    outer as outer,
    permute as permute,
    poisson as poisson,
    polar as polar,
    polygamma as polygamma,
    pow as pow,
    pow_ as pow_,
    preserve_format as preserve_format,
    prod as prod,
    promote_types as promote_types,
    put as put,
    put_ as put_,
    rad2deg as rad2deg,
    rad2deg_ as rad2deg_,
    rand as rand,
    rand_like as rand_like,
    randint as randint,
    randint_like as randint_like,
    randn as randn,
    randn_like as randn_like,
    randperm as randperm,
    real as real,
    reciprocal as reciprocal,
    reciprocal_ as reciprocal_,
    relu as relu,
    relu_ as relu_,
    remainder as remainder,
    remainder_ as remainder_,
    repeat_interleave as repeat_interleave,
    reshape as reshape,
    roll as roll,
    round as round,
    round_ as round_,
    rsqrt as rsqrt,
    rsqrt_ as rsqrt_,
    scatter_add as scatter_add,
    scatter_add_ as scatter_add_,
    scatter_reduce as scatter_reduce,
    scatter_reduce_ as scatter_reduce_,
    searchsorted as searchsorted,
    select as select,
    selu as selu,
    selu_ as selu_,
    set_num_threads as set_num_threads,
    sgn as sgn,
    sgn_ as sgn_,
    short as short,
    sigmoid as sigmoid,
    sigmoid_ as sigmoid_,
    sign as sign,
    sign_ as sign_,
    signbit as signbit,
    sin as sin,
    sin_ as sin_,
    sinc as sinc,
    sinc_ as sinc_,
    sinh as sinh,
    sinh_ as sinh_,
    softmax as softmax,
    sort as sort,
    sparse_bsc as sparse_bsc,
    sparse_bsr as sparse_bsr,
    sparse_coo as sparse_coo,
    sparse_csc as sparse_csc,
    sparse_csr as sparse_csr,
    special_digamma as special_digamma,
    special_digamma_ as special_digamma_,
    special_erf as special_erf,
    special_erf_ as special_erf_,
    special_erfc as special_erfc,
    special_erfc_ as special_erfc_,
    special_erfinv as special_erfinv,
    special_erfinv_ as special_erfinv_,
    special_exp2 as special_exp2,
    special_exp2_ as special_exp2_,
    special_expit as special_expit,
    special_expit_ as special_expit_,
    special_expm1 as special_expm1,
    special_expm1_ as special_expm1_,
    special_gammainc as special_gammainc,
    special_gammainc_ as special_gammainc_,
    special_gammaincc as special_gammaincc,
    special_gammaincc_ as special_gammaincc_,
    special_gammaln as special_gammaln,
    special_gammaln_ as special_gammaln_,
    special_i0 as special_i0,
    special_i0_ as special_i0_,
    special_log1p as special_log1p,
    special_log1p_ as special_log1p_,
    special_log_softmax as special_log_softmax,
    special_logit as special_logit,
    special_logit_ as special_logit_,
    special_logsumexp as special_logsumexp,
    special_modified_bessel_i0 as special_modified_bessel_i0,
    special_modified_bessel_i0_ as special_modified_bessel_i0_,
    special_polygamma as special_polygamma,
    special_psi as special_psi,
    special_psi_ as special_psi_,
    special_round as special_round,
    special_round_ as special_round_,
    special_sinc as special_sinc,
    special_sinc_ as special_sinc_,
    special_softmax as special_softmax,
    special_xlogy as special_xlogy,
    special_xlogy_ as special_xlogy_,
    sqrt as sqrt,
    sqrt_ as sqrt_,
    square as square,
    square_ as square_,
    squeeze as squeeze,
    squeeze_ as squeeze_,
    stack as stack,
    strided as strided,
    sub as sub,
    sub_ as sub_,
    subtract as subtract,
    subtract_ as subtract_,
    sum as sum,
    swapdims as swapdims,
    swapdims_ as swapdims_,
    t as t,
    t_ as t_,
    take as take,
    tan as tan,
    tan_ as tan_,
    tanh as tanh,
    tanh_ as tanh_,
    threshold as threshold,
    threshold_ as threshold_,
    topk as topk,
    transpose as transpose,
    transpose_ as transpose_,
    tril as tril,
    tril_ as tril_,
    triu as triu,
    triu_ as triu_,
    trunc as trunc,
    trunc_ as trunc_,
    uint8 as uint8,
    unsqueeze as unsqueeze,
    unsqueeze_ as unsqueeze_,
    vdot as vdot,
    view_as_complex as view_as_complex,
    view_as_real as view_as_real,
    xlogy as xlogy,
    xlogy_ as xlogy_,
    zeros as zeros,
    zeros_like as zeros_like,
)
from rushlight.accelerator import AcceleratorError as AcceleratorError
from rushlight.accelerator import Event as Event
from rushlight.amp import GradScaler as GradScaler
from rushlight.accelerator import OutOfMemoryError as OutOfMemoryError
from rushlight.accelerator import Stream as Stream
from rushlight.symbolic import SymBool as SymBool
from rushlight.symbolic import SymFloat as SymFloat
from rushlight.symbolic import SymInt as SymInt
from rushlight.training_state import TrainingState as TrainingState
from rushlight.storage import TypedStorage as TypedStorage
from rushlight.storage import UntypedStorage as UntypedStorage
from rushlight.checks import _assert as _assert
from rushlight.checks import _assert_async as _assert_async
from rushlight.checks import _check as _check
from rushlight.checks import _check_index as _check_index
from rushlight.checks import _check_is_size as _check_is_size
from rushlight.checks import _check_not_implemented as _check_not_implemented
from rushlight.checks import _check_tensor_all as _check_tensor_all
from rushlight.checks import _check_tensor_all_with as _check_tensor_all_with
from rushlight.checks import _check_type as _check_type
from rushlight.checks import _check_value as _check_value
from rushlight.checks import _check_with as _check_with
from rushlight.nn.functional.by_position import affine_grid_generator as affine_grid_generator
from rushlight.settings import are_deterministic_algorithms_enabled as are_deterministic_algorithms_enabled
from rushlight.amp import autocast as autocast
from rushlight.settings import autocast_decrement_nesting as autocast_decrement_nesting
from rushlight.settings import autocast_increment_nesting as autocast_increment_nesting
from rushlight.nn.functional.by_position import batch_norm as batch_norm
from rushlight.nn.functional import bilinear as bilinear
from rushlight.nn.functional.by_position import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from rushlight.nn.functional import channel_shuffle as channel_shuffle
from rushlight.settings import clear_autocast_cache as clear_autocast_cache
from rushlight.compiler import compile as compile
from rushlight.settings import compiled_with_cxx11_abi as compiled_with_cxx11_abi
from rushlight.nn.functional import conv_tbc as conv_tbc
from rushlight.nn.functional import cosine_embedding_loss as cosine_embedding_loss
from rushlight.nn.functional import cosine_similarity as cosine_similarity
from rushlight.nn.functional.by_position import ctc_loss as ctc_loss
from rushlight.sparse import dsmm as dsmm
from rushlight.nn.functional.by_position import embedding as embedding
from rushlight.nn.functional.by_position import embedding_bag as embedding_bag
from rushlight.nn.functional.by_position import embedding_renorm_ as embedding_renorm_
from rushlight.autograd.grad_mode import enable_grad as enable_grad
from rushlight.type_info import finfo as finfo
from rushlight.futures import fork as fork
from rushlight.settings import get_autocast_cpu_dtype as get_autocast_cpu_dtype
from rushlight.settings import get_autocast_dtype as get_autocast_dtype
from rushlight.settings import get_autocast_gpu_dtype as get_autocast_gpu_dtype
from rushlight.settings import get_deterministic_debug_mode as get_deterministic_debug_mode
from rushlight.settings import get_device_module as get_device_module
from rushlight.settings import get_file_path as get_file_path
from rushlight.settings import get_float32_matmul_precision as get_float32_matmul_precision
from rushlight.settings import get_num_interop_threads as get_num_interop_threads
from rushlight.printing import get_printoptions as get_printoptions
from rushlight.random import get_rng_state as get_rng_state
from rushlight.nn.functional import grid_sampler as grid_sampler
from rushlight.nn.functional import grid_sampler_2d as grid_sampler_2d
from rushlight.nn.functional import grid_sampler_3d as grid_sampler_3d
from rushlight.nn.functional.by_position import group_norm as group_norm
from rushlight.nn.functional.recurrent import gru as gru
from rushlight.nn.functional.recurrent import gru_cell as gru_cell
from rushlight.settings import has_lapack as has_lapack
from rushlight.settings import has_mkl as has_mkl
from rushlight.settings import has_openmp as has_openmp
from rushlight.settings import has_spectral as has_spectral
from rushlight.nn.functional import hinge_embedding_loss as hinge_embedding_loss
from rushlight.unsupported import hsmm as hsmm
from rushlight.sparse import hspmm as hspmm
from rushlight.type_info import iinfo as iinfo
from rushlight.autograd.grad_mode import inference_mode as inference_mode
from rushlight.settings import init_num_threads as init_num_threads
from rushlight.random import initial_seed as initial_seed
from rushlight.nn.functional.by_position import instance_norm as instance_norm
from rushlight.autograd.anomaly_mode import is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled
from rushlight.autograd.anomaly_mode import is_anomaly_enabled as is_anomaly_enabled
from rushlight.settings import is_autocast_cache_enabled as is_autocast_cache_enabled
from rushlight.settings import is_autocast_cpu_enabled as is_autocast_cpu_enabled
from rushlight.settings import is_autocast_enabled as is_autocast_enabled
from rushlight.settings import (
    is_deterministic_algorithms_warn_only_enabled as is_deterministic_algorithms_warn_only_enabled,
)
from rushlight.settings import is_vulkan_available as is_vulkan_available
from rushlight.settings import is_warn_always_enabled as is_warn_always_enabled
from rushlight.nn.functional import kl_div as kl_div
from rushlight.nn.functional.by_position import layer_norm as layer_norm
from rushlight.serialization import load as load
from rushlight.nn.functional.recurrent import lstm as lstm
from rushlight.nn.functional.recurrent import lstm_cell as lstm_cell
from rushlight.random import manual_seed as manual_seed
from rushlight.nn.functional import margin_ranking_loss as margin_ranking_loss
from rushlight.nn.functional import native_channel_shuffle as native_channel_shuffle
from rushlight.nn.functional import native_group_norm as native_group_norm
from rushlight.autograd.grad_mode import no_grad as no_grad
from rushlight.nn.functional import pairwise_distance as pairwise_distance
from rushlight.nn.functional import pdist as pdist
from rushlight.nn.functional import pixel_shuffle as pixel_shuffle
from rushlight.nn.functional import pixel_unshuffle as pixel_unshuffle
from rushlight.nn.functional import poisson_nll_loss as poisson_nll_loss
from rushlight.settings import prepare_multiprocessing_environment as prepare_multiprocessing_environment
from rushlight.unsupported import resize_as_sparse_ as resize_as_sparse_
from rushlight.nn.functional.by_position import rms_norm as rms_norm
from rushlight.nn.functional.recurrent import rnn_relu as rnn_relu
from rushlight.nn.functional.recurrent import rnn_relu_cell as rnn_relu_cell
from rushlight.nn.functional.recurrent import rnn_tanh as rnn_tanh
from rushlight.nn.functional.recurrent import rnn_tanh_cell as rnn_tanh_cell
from rushlight.unsupported import saddmm as saddmm
from rushlight.serialization import save as save
from rushlight.random import seed as seed
from rushlight.settings import set_anomaly_enabled as set_anomaly_enabled
from rushlight.settings import set_autocast_cache_enabled as set_autocast_cache_enabled
from rushlight.settings import set_autocast_cpu_dtype as set_autocast_cpu_dtype
from rushlight.settings import set_autocast_cpu_enabled as set_autocast_cpu_enabled
from rushlight.settings import set_autocast_dtype as set_autocast_dtype
from rushlight.settings import set_autocast_enabled as set_autocast_enabled
from rushlight.settings import set_autocast_gpu_dtype as set_autocast_gpu_dtype
from rushlight.settings import set_default_tensor_type as set_default_tensor_type
from rushlight.settings import set_deterministic_debug_mode as set_deterministic_debug_mode
from rushlight.settings import set_float32_matmul_precision as set_float32_matmul_precision
from rushlight.settings import set_flush_denormal as set_flush_denormal
from rushlight.autograd.grad_mode import set_grad_enabled as set_grad_enabled
from rushlight.settings import set_num_interop_threads as set_num_interop_threads
from rushlight.printing import set_printoptions as set_printoptions
from rushlight.random import set_rng_state as set_rng_state
from rushlight.settings import set_warn_always as set_warn_always
from rushlight.sparse import smm as smm
from rushlight.unsupported import sparse_bsc_tensor as sparse_bsc_tensor
from rushlight.unsupported import sparse_bsr_tensor as sparse_bsr_tensor
from rushlight.sparse import sparse_compressed_tensor as sparse_compressed_tensor
from rushlight.sparse import sparse_coo_tensor as sparse_coo_tensor
from rushlight.sparse import sparse_csc_tensor as sparse_csc_tensor
from rushlight.sparse import sparse_csr_tensor as sparse_csr_tensor
from rushlight.sparse import spmm as spmm
from rushlight.sparse import sspaddmm as sspaddmm
from rushlight.symbolic import sym_float as sym_float
from rushlight.symbolic import sym_int as sym_int
from rushlight.symbolic import sym_ite as sym_ite
from rushlight.symbolic import sym_max as sym_max
from rushlight.symbolic import sym_min as sym_min
from rushlight.symbolic import sym_not as sym_not
from rushlight.symbolic import sym_sqrt as sym_sqrt
from rushlight.symbolic import sym_sum as sym_sum
from rushlight.tensor_types import tensortype as tensortype
from rushlight.random import thread_safe_generator as thread_safe_generator
from rushlight.nn.functional import triplet_margin_loss as triplet_margin_loss
from rushlight.type_info import typename as typename
from rushlight.settings import use_deterministic_algorithms as use_deterministic_algorithms
from rushlight.func import vmap as vmap
from rushlight.futures import wait as wait

_bool = builtins.bool
_bytes = builtins.bytes
_complex = builtins.complex
_float = builtins.float
_int = builtins.int
_str = builtins.str
_Number = builtins.bool | builtins.int | builtins.float | builtins.complex

__version__: _str

def adjoint(input: Any) -> Tensor: ...
def alias_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def allclose(input: Any, other: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: Any = False) -> Any: ...
def alpha_dropout(input: Any, p: Any, train: Any) -> Tensor: ...
def alpha_dropout_(input: Any, p: Any, train: Any) -> Tensor: ...
def aminmax(input: Any, *, dim: Any = None, keepdim: Any = False, out: Any = None) -> Any: ...
def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: Any = False,
    requires_grad: Any = False,
) -> Tensor: ...
def argsort(input: Any, dim: Any = -1, descending: Any = False, stable: Any = False) -> Tensor: ...
def argwhere(input: Any) -> Tensor: ...
def as_strided_(input: Any, size: Any, stride: Any, storage_offset: Any = None) -> Tensor: ...
def as_strided_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor: ...
def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: Any = None, requires_grad: Any = False
) -> Tensor: ...
def atleast_1d(*tensors: Any) -> Any: ...
def atleast_2d(*tensors: Any) -> Any: ...
def atleast_3d(*tensors: Any) -> Any: ...
def bartlett_window(
    window_length: Any,
    periodic: Any = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: Any = False,
) -> Tensor: ...
def blackman_window(
    window_length: Any,
    periodic: Any = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: Any = False,
) -> Tensor: ...
def block_diag(*tensors: Any) -> Any: ...
def broadcast_tensors(*tensors: Any) -> Any: ...
def broadcast_to(input: Any, size: Any) -> Tensor: ...
def cartesian_prod(*tensors: Any) -> Tensor: ...
def ccol_indices_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def cdist(x1: Any, x2: Any, p: Any = 2.0, compute_mode: Any = "use_mm_for_euclid_dist_if_necessary") -> Tensor: ...
def chain_matmul(*matrices: Any, out: Any = None) -> Tensor: ...
def cholesky(input: Any, upper: Any = False, *, out: Any = None) -> Tensor: ...
def cholesky_inverse(input: Any, upper: Any = False, *, out: Any = None) -> Tensor: ...
def cholesky_solve(B: Any, L: Any, upper: Any = False, *, out: Any = None) -> Tensor: ...
def chunk(input: Any, chunks: Any, dim: Any = 0) -> Any: ...
def clamp(input: Any, min: Any = None, max: Any = None, *, out: Any = None) -> Tensor: ...
def clamp_(input: Any, min: Any = None, max: Any = None, *, out: Any = None) -> Tensor: ...
def clip(input: Any, min: Any = None, max: Any = None, *, out: Any = None) -> Tensor: ...
def clip_(input: Any, min: Any = None, max: Any = None, *, out: Any = None) -> Tensor: ...
def col_indices_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def column_stack(tensors: Any, *, out: Any = None) -> Tensor: ...
def combinations(input: Any, r: Any = 2, with_replacement: Any = False) -> Tensor: ...
def cond(pred: Any, true_fn: Any, false_fn: Any, operands: Any = ()) -> Any: ...
def corrcoef(input: Any) -> Tensor: ...
def cov(input: Any, *, correction: Any = 1, fweights: Any = None, aweights: Any = None) -> Tensor: ...
def cross(input: Any, other: Any, dim: Any = None, *, out: Any = None) -> Tensor: ...
def crow_indices_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = 1, dim: Any = -1) -> Tensor: ...
def det(input: Any) -> Tensor: ...
def detach(input: Any, *args: Any) -> Tensor: ...
def detach_(input: Any, *args: Any) -> Tensor: ...
def detach_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def diag(input: Any, diagonal: Any = 0, *, out: Any = None) -> Tensor: ...
def diag_embed(input: Any, offset: Any = 0, dim1: Any = -2, dim2: Any = -1) -> Tensor: ...
def diagflat(input: Any, offset: Any = 0) -> Tensor: ...
def diagonal_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def diagonal_scatter(input: Any, src: Any, offset: Any = 0, dim1: Any = 0, dim2: Any = 1) -> Tensor: ...
def diff(
    input: Any, n: Any = 1, dim: Any = -1, prepend: Any = None, append: Any = None, *, out: Any = None
) -> Tensor: ...
def dist(input: Any, other: Any, p: Any = 2) -> Tensor: ...
def div(input: Any, other: Any, *, rounding_mode: Any = None, out: Any = None) -> Tensor: ...
def divide(input: Any, other: Any, *, rounding_mode: Any = None, out: Any = None) -> Tensor: ...
def dropout_(input: Any, p: Any, train: Any) -> Tensor: ...
def dsplit(input: Any, indices_or_sections: Any) -> Any: ...
def dstack(tensors: Any, *, out: Any = None) -> Tensor: ...

e: _float

def einsum(*args: Any) -> Tensor: ...
def empty_permuted(
    size: Any,
    physical_layout: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: Any = False,
    pin_memory: Any = False,
) -> Tensor: ...
def empty_strided(
    size: Any,
    stride: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: Any = False,
    pin_memory: Any = False,
) -> Tensor: ...
def equal(input: Any, other: Any) -> Any: ...
def expand_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def feature_alpha_dropout(input: Any, p: Any, train: Any) -> Tensor: ...
def feature_alpha_dropout_(input: Any, p: Any, train: Any) -> Tensor: ...
def feature_dropout(input: Any, p: Any, train: Any) -> Tensor: ...
def feature_dropout_(input: Any, p: Any, train: Any) -> Tensor: ...
def flatten(input: Any, start_dim: Any = 0, end_dim: Any = -1) -> Tensor: ...
def fliplr(input: Any) -> Tensor: ...
def flipud(input: Any) -> Tensor: ...
def float_power(input: Any, exponent: Any, *, out: Any = None) -> Tensor: ...
def frexp(input: Any, *, out: Any = None) -> Any: ...
def frobenius_norm(input: Any, dim: Any = (), keepdim: Any = False, *, out: Any = None) -> Tensor: ...
def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: Any = None) -> Tensor: ...
def from_file(
    filename: Any,
    shared: Any = None,
    size: Any = 0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: Any = False,
    requires_grad: Any = False,
) -> Tensor: ...
def from_numpy(ndarray: Any) -> Tensor: ...
def frombuffer(buffer: Any, *, dtype: Any, count: Any = -1, offset: Any = 0, requires_grad: Any = False) -> Tensor: ...
def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    out: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: Any = False,
    pin_memory: Any = False,
) -> Tensor: ...
def full_like(
    input: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    out: Any = None,
    memory_format: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: Any = False,
    pin_memory: Any = False,
) -> Tensor: ...
def geqrf(input: Any, *, out: Any = None) -> Any: ...
def get_default_device() -> Tensor: ...
def get_device(input: Any) -> _int: ...
def gradient(input: Any, *, spacing: Any = 1, dim: Any = None, edge_order: Any = 1) -> Tensor: ...
def hamming_window(
    window_length: Any,
    periodic: Any = True,
    alpha: Any = 0.54,
    beta: Any = 0.46,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: Any = False,
) -> Tensor: ...
def hann_window(
    window_length: Any,
    periodic: Any = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: Any = False,
) -> Tensor: ...
def histogram(
    input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: Any = False, out: Any = None
) -> Tensor: ...
def histogramdd(input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: Any = False) -> Tensor: ...
def hsplit(input: Any, indices_or_sections: Any) -> Any: ...
def hstack(tensors: Any, *, out: Any = None) -> Tensor: ...
def index_reduce(
    input: Any, dim: Any, index: Any, source: Any, reduce: Any, *, include_self: Any = True, out: Any = None
) -> Tensor: ...
def index_reduce_(
    input: Any, dim: Any, index: Any, source: Any, reduce: Any, *, include_self: Any = True, out: Any = None
) -> Tensor: ...
def indices_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...

inf: _float

def inner(input: Any, other: Any, *, out: Any = None) -> Tensor: ...
def inverse(input: Any, *, out: Any = None) -> Tensor: ...
def is_complex(input: Any) -> _bool: ...
def is_conj(input: Any, *args: Any) -> _bool: ...
def is_distributed(input: Any) -> _bool: ...
def is_floating_point(input: Any) -> _bool: ...
def is_inference(input: Any, *args: Any) -> _bool: ...
def is_neg(input: Any, *args: Any) -> _bool: ...
def is_nonzero(input: Any) -> _bool: ...
def is_same_size(input: Any, *args: Any) -> _bool: ...
def is_signed(input: Any) -> _bool: ...
def is_storage(obj: Any) -> _bool: ...
def is_tensor(obj: Any) -> _bool: ...
def isclose(input: Any, other: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: Any = False) -> Tensor: ...
def isin(
    elements: Any, test_elements: Any, *, assume_unique: Any = False, invert: Any = False, out: Any = None
) -> Tensor: ...
def istft(
    input: Any,
    n_fft: Any,
    hop_length: Any = None,
    win_length: Any = None,
    window: Any = None,
    center: Any = True,
    normalized: Any = False,
    onesided: Any = None,
    length: Any = None,
    return_complex: Any = False,
) -> Tensor: ...
def kaiser_window(
    window_length: Any,
    periodic: Any = True,
    beta: Any = 12.0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: Any = False,
) -> Tensor: ...
def kron(input: Any, other: Any, *, out: Any = None) -> Tensor: ...
def ldexp(input: Any, other: Any, *, out: Any = None) -> Tensor: ...
def ldexp_(input: Any, other: Any, *, out: Any = None) -> Tensor: ...

legacy_contiguous_format: _memory_format

def lobpcg(
    A: Any,
    k: Any = None,
    B: Any = None,
    X: Any = None,
    n: Any = None,
    iK: Any = None,
    niter: Any = None,
    tol: Any = None,
    largest: Any = None,
    method: Any = None,
    tracker: Any = None,
    ortho_iparams: Any = None,
    ortho_fparams: Any = None,
    ortho_bparams: Any = None,
) -> Any: ...
def logdet(input: Any) -> Tensor: ...
def logspace(
    start: Any,
    end: Any,
    steps: Any,
    base: Any = 10.0,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: Any = False,
) -> Tensor: ...
def lu(input: Any, pivot: Any = True, get_infos: Any = False, out: Any = None) -> Any: ...
def lu_solve(input: Any, LU_data: Any, LU_pivots: Any, *, out: Any = None) -> Tensor: ...
def lu_unpack(
    LU_data: Any, LU_pivots: Any, unpack_data: Any = True, unpack_pivots: Any = True, *, out: Any = None
) -> Any: ...
def matrix_exp(input: Any) -> Tensor: ...
def matrix_power(input: Any, n: Any, *, out: Any = None) -> Tensor: ...
def max(input: Any, dim: Any = None, keepdim: Any = False, *, other: Any = None, out: Any = None) -> Any: ...
def median(input: Any, dim: Any = None, keepdim: Any = False, *, out: Any = None) -> Any: ...
def meshgrid(*tensors: Any, indexing: Any = None) -> Any: ...
def min(input: Any, dim: Any = None, keepdim: Any = False, *, other: Any = None, out: Any = None) -> Any: ...
def moveaxis(input: Any, source: Any, destination: Any) -> Tensor: ...
def movedim(input: Any, source: Any, destination: Any) -> Tensor: ...
def msort(input: Any, *, out: Any = None) -> Tensor: ...
def mvlgamma(input: Any, p: Any, *, out: Any = None) -> Tensor: ...

nan: _float

def nanmean(input: Any, dim: Any = None, keepdim: Any = False, *, dtype: Any = None, out: Any = None) -> Tensor: ...
def nanmedian(input: Any, dim: Any = None, keepdim: Any = False, *, out: Any = None) -> Any: ...
def nanquantile(
    input: Any, q: Any, dim: Any = None, keepdim: Any = False, *, interpolation: Any = "linear", out: Any = None
) -> Tensor: ...
def nansum(input: Any, dim: Any = None, keepdim: Any = False, *, dtype: Any = None, out: Any = None) -> Tensor: ...
def narrow_copy(input: Any, dim: Any, start: Any, length: Any, *, out: Any = None) -> Tensor: ...

newaxis: None

def nonzero(input: Any, *, out: Any = None, as_tuple: Any = False) -> Any: ...
def nonzero_static(input: Any, *, size: Any, fill_value: Any = -1, out: Any = None) -> Tensor: ...
def norm(
    input: Any, p: Any = "fro", dim: Any = None, keepdim: Any = False, out: Any = None, dtype: Any = None
) -> Tensor: ...
def norm_except_dim(v: Any, pow: Any = 2, dim: Any = 0) -> Tensor: ...
def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: Any = False,
    requires_grad: Any = False,
) -> Tensor: ...
def nuclear_norm(input: Any, dim: Any = (-2, -1), keepdim: Any = False, *, out: Any = None) -> Tensor: ...
def numel(input: Any) -> _int: ...
def orgqr(input: Any, tau: Any, *, out: Any = None) -> Tensor: ...
def ormqr(input: Any, tau: Any, other: Any, left: Any = True, transpose: Any = False, *, out: Any = None) -> Tensor: ...
def pca_lowrank(A: Any, q: Any = None, center: Any = True, niter: Any = 2) -> Tensor: ...
def permute_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...

pi: _float

def pinverse(input: Any, rcond: Any = 1e-15) -> Tensor: ...
def positive(input: Any) -> Tensor: ...
def prelu(input: Any, weight: Any) -> Tensor: ...
def qr(input: Any, some: Any = True, *, out: Any = None) -> Any: ...
def quantile(
    input: Any, q: Any, dim: Any = None, keepdim: Any = False, *, interpolation: Any = "linear", out: Any = None
) -> Tensor: ...
def range(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: Any = False,
) -> Tensor: ...
def ravel(input: Any) -> Tensor: ...
def renorm(input: Any, p: Any, dim: Any, maxnorm: Any, *, out: Any = None) -> Tensor: ...
def renorm_(input: Any, p: Any, dim: Any, maxnorm: Any, *, out: Any = None) -> Tensor: ...
def resize_as_(input: Any, the_template: Any, *, memory_format: Any = None) -> Tensor: ...
def resolve_conj(input: Any, *args: Any) -> Tensor: ...
def resolve_neg(input: Any, *args: Any) -> Tensor: ...
def result_type(tensor1: Any, tensor2: Any) -> Any: ...
def rot90(input: Any, k: Any = 1, dims: Any = (0, 1)) -> Tensor: ...
def row_indices_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def row_stack(tensors: Any, *, out: Any = None) -> Tensor: ...
def rrelu(
    input: Any, lower: Any = 0.125, upper: Any = 0.3333333333333333, training: Any = False, generator: Any = None
) -> Tensor: ...
def rrelu_(
    input: Any, lower: Any = 0.125, upper: Any = 0.3333333333333333, training: Any = False, generator: Any = None
) -> Tensor: ...
def rsub(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Tensor: ...
def scalar_tensor(
    s: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: Any = False,
    requires_grad: Any = False,
) -> Tensor: ...
def scatter(
    input: Any, dim: Any, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None, out: Any = None
) -> Tensor: ...
def segment_reduce(
    data: Any,
    reduce: Any,
    *,
    lengths: Any = None,
    indices: Any = None,
    offsets: Any = None,
    axis: Any = 0,
    unsafe: Any = False,
    initial: Any = None,
) -> Tensor: ...
def select_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def select_scatter(input: Any, src: Any, dim: Any, index: Any) -> Tensor: ...
def set_default_device(device: Any) -> Tensor: ...
def set_default_dtype(d: Any) -> Tensor: ...
def slice_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def slice_inverse(input: Any, src: Any, dim: Any = 0, start: Any = None, end: Any = None, step: Any = 1) -> Tensor: ...
def slice_scatter(
    input: Any, src: Any, dim: Any = 0, start: Any = None, end: Any = None, step: Any = 1, *, out: Any = None
) -> Tensor: ...
def slogdet(input: Any, *, out: Any = None) -> Any: ...
def split(tensor: Any, split_size_or_sections: Any, dim: Any = 0) -> Any: ...
def split_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def split_with_sizes(input: Any, split_sizes: Any, dim: Any = 0) -> Any: ...
def split_with_sizes_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def squeeze_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def std(
    input: Any, dim: Any = None, unbiased: Any = None, keepdim: Any = False, *, correction: Any = 1, out: Any = None
) -> Tensor: ...
def std_mean(
    input: Any, dim: Any = None, unbiased: Any = None, keepdim: Any = False, *, correction: Any = 1, out: Any = None
) -> Any: ...
def stft(
    input: Any,
    n_fft: Any,
    hop_length: Any = None,
    win_length: Any = None,
    window: Any = None,
    center: Any = True,
    pad_mode: Any = "reflect",
    normalized: Any = False,
    onesided: Any = None,
    return_complex: Any = None,
    align_to_window: Any = None,
) -> Tensor: ...
def svd(input: Any, some: Any = True, compute_uv: Any = True, *, out: Any = None) -> Any: ...
def svd_lowrank(A: Any, q: Any = 6, niter: Any = 2, M: Any = None) -> Tensor: ...
def swapaxes(input: Any, axis0: Any, axis1: Any) -> Tensor: ...
def swapaxes_(input: Any, axis0: Any, axis1: Any) -> Tensor: ...
def t_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def take_along_dim(input: Any, indices: Any, dim: Any = None, *, out: Any = None) -> Tensor: ...
def tensor(*args: Any, **kwargs: Any) -> Any: ...
def tensor_split(input: Any, indices_or_sections: Any, dim: Any = 0) -> Any: ...
def tensordot(a: Any, b: Any, dims: Any = 2, out: Any = None) -> Tensor: ...
def tile(input: Any, *repeats: Any, dims: Any = None) -> Tensor: ...
def to_dlpack(tensor: Any) -> Any: ...
def trace(input: Any) -> Tensor: ...
def transpose_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def trapezoid(y: Any, x: Any = None, *, dx: Any = 1, dim: Any = -1) -> Tensor: ...
def trapz(y: Any, x: Any = None, *, dx: Any = 1, dim: Any = -1) -> Tensor: ...
def triangular_solve(
    input: Any, A: Any, upper: Any = True, transpose: Any = False, unitriangular: Any = False, *, out: Any = None
) -> Any: ...
def tril_indices(
    row: Any, col: Any, offset: Any = 0, *, dtype: Any = ..., device: Any = "cpu", layout: Any = None
) -> Tensor: ...
def triu_indices(
    row: Any, col: Any, offset: Any = 0, *, dtype: Any = ..., device: Any = "cpu", layout: Any = None
) -> Tensor: ...
def true_divide(input: Any, other: Any, *, out: Any = None) -> Tensor: ...
def unbind(input: Any, dim: Any = 0) -> Any: ...
def unbind_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def unflatten(input: Any, dim: Any, sizes: Any) -> Tensor: ...
def unfold_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def unique(
    input: Any, sorted: Any = True, return_inverse: Any = False, return_counts: Any = False, dim: Any = None
) -> Any: ...
def unique_consecutive(input: Any, return_inverse: Any = False, return_counts: Any = False, dim: Any = None) -> Any: ...
def unravel_index(indices: Any, shape: Any) -> Any: ...
def unsafe_chunk(input: Any, chunks: Any, dim: Any = 0) -> Any: ...
def unsafe_split(input: Any, split_size: Any, dim: Any = 0) -> Any: ...
def unsafe_split_with_sizes(input: Any, split_sizes: Any, dim: Any = 0) -> Tensor: ...
def unsqueeze_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def values_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def vander(x: Any, N: Any = None, increasing: Any = False) -> Tensor: ...
def var(
    input: Any, dim: Any = None, unbiased: Any = None, keepdim: Any = False, *, correction: Any = 1, out: Any = None
) -> Tensor: ...
def var_mean(
    input: Any, dim: Any = None, unbiased: Any = None, keepdim: Any = False, *, correction: Any = 1, out: Any = None
) -> Any: ...
def view_as_complex_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def view_as_real_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def view_copy(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Tensor: ...
def vsplit(input: Any, indices_or_sections: Any) -> Any: ...
def vstack(tensors: Any, *, out: Any = None) -> Tensor: ...
def where(condition: Any, input: Any = None, other: Any = None, *, out: Any = None) -> Any: ...
def while_loop(cond_fn: Any, body_fn: Any, carried_inputs: Any) -> Any: ...
def zero_(input: Tensor) -> Tensor: ...
